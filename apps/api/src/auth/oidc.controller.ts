import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { BeginOidcSignInCommand, FinishOidcSignInCommand } from '#identity';
import { DomainError } from '#kernel';
import { Public } from '../http/access.ts';
import { browserOf } from '../http/browser.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { SessionCookie } from '../http/session-cookie.ts';
import { clearFlow, readFlow, setFlow } from './flow-cookie.ts';
import { isOwnPath } from './return-to.ts';

const CALLBACK = '/auth/oidc/callback';

export const startQuery = z.strictObject({
  returnTo: z.string().refine(isOwnPath, 'Give a path of this service, such as /docs.').default('/docs'),
});

/**
 * Single sign-on with the company's OpenID Connect provider (OpenID Connect Core 1.0, 3.1). A browser is sent from one
 * step to the next.
 */
@ApiExcludeController()
@Controller('auth/oidc')
@Public()
export class OidcController {
  private readonly callbackUrl: string;

  constructor(
    @Inject(CONFIG) { publicUrl }: Config,
    private readonly commands: CommandBus,
    private readonly cookie: SessionCookie,
  ) {
    this.callbackUrl = `${publicUrl}${CALLBACK}`;
  }

  @Get('start')
  async start(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query({ schema: startQuery }) { returnTo }: z.output<typeof startQuery>,
  ): Promise<void> {
    const { url, flow } = await this.commands.execute(new BeginOidcSignInCommand(this.callbackUrl, returnTo));
    reply.header('set-cookie', setFlow(this.cookie, flow)).redirect(url, 303);
  }

  @Get('callback')
  async callback(@Req() request: LatchkeyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const flow = readFlow(this.cookie, request.headers.cookie);
    // however it ends: the next attempt begins anew
    reply.header('set-cookie', clearFlow(this.cookie));
    if (flow === undefined) throw noFlow();
    const question = request.url.indexOf('?');
    const callback = new URL(this.callbackUrl + (question < 0 ? '' : request.url.slice(question)));
    const token = await this.commands.execute(new FinishOidcSignInCommand(callback, flow, browserOf(request)));
    reply.header('set-cookie', this.cookie.set(token)).redirect(flow.returnTo, 303);
  }
}

function noFlow(): DomainError {
  return new DomainError(
    'sign-in-failed',
    'This browser has no sign-in under way: it took too long, or has ended. Start again.',
  );
}
