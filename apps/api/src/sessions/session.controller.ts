import { Body, Controller, Delete, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { EndSessionsCommand, GetMeQuery, SignInCommand } from '#identity';
import type { Principal, SessionView } from '#identity';
import { Public, SignedIn } from '../http/access.ts';
import { browserOf } from '../http/browser.ts';
import { checkNotCrossSite } from '../http/cross-site.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { SessionCookie } from '../http/session-cookie.ts';
import { unauthenticated, unknownAddress, wrongPassword } from '../http/unauthenticated.ts';
import { sessionAnswer, signInBody } from './sessions.dto.ts';
import type { SignInBody } from './sessions.dto.ts';

@ApiTags('Sign-in')
@Controller('v1/session')
export class SessionController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cookie: SessionCookie,
  ) {}

  @Post()
  @Public()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Sign in',
    description:
      'With a user name and password of this service. The answer sets a cookie that signs in from then on: `HttpOnly`, `SameSite=Lax`, over ' +
      'https `Secure`. Guessing is limited as with HTTP Basic.',
  })
  @ApiNoContentResponse({ description: 'Signed in: the session’s cookie is in `Set-Cookie`.' })
  async signIn(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body({ schema: signInBody }) { username, password }: SignInBody,
  ): Promise<void> {
    // else a page of another site could sign a browser in as someone else
    checkNotCrossSite(request);
    const { ip, ...browser } = browserOf(request);
    if (ip === null) throw unknownAddress();
    const token = await this.commands.execute(new SignInCommand(username, password, { ...browser, ip }));
    if (token === undefined) throw wrongPassword();
    reply.header('set-cookie', this.cookie.set(token));
  }

  @Get()
  @SignedIn()
  @ApiOperation({
    summary: 'Read your session',
    description:
      'Who is signed in by the session cookie, and until when. Without a session: 401, also with another sign-in.',
  })
  @ApiOkResponse({ description: 'Your session.', standardSchema: sessionAnswer })
  async read(@Req() { principal }: LatchkeyRequest): Promise<object> {
    const { person, session } = sessionOf(principal);
    const { method, createdAt, idleExpiresAt, expiresAt } = session;
    return { user: await this.queries.execute(new GetMeQuery(person)), method, createdAt, idleExpiresAt, expiresAt };
  }

  @Delete()
  @SignedIn()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Sign out',
    description:
      'The session of the cookie is over, on every instance, from the moment this is answered. Needs no If-Match.',
  })
  @ApiNoContentResponse({ description: 'Signed out; the cookie is removed.' })
  async signOut(@Req() request: LatchkeyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const { person, session } = sessionOf(request.principal);
    const command = new EndSessionsCommand(callContext(request), person.userId, session.id, 'signed-out');
    await this.commands.execute(command);
    reply.header('set-cookie', this.cookie.clear());
  }
}

/** @throws DomainError `unauthenticated` when someone signed in by other means */
function sessionOf(principal: Principal | undefined): { readonly person: Principal; readonly session: SessionView } {
  const session = principal?.session;
  if (principal === undefined || session === undefined) throw unauthenticated();
  return { person: principal, session };
}
