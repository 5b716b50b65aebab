import { Controller, Get, Header, Inject, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Public } from '../http/access.ts';
import { ServesAlways } from '../http/blocked.guard.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { PersonSignIn } from '../http/person-sign-in.ts';
import { isOwnPath } from './return-to.ts';
import { PAGE_HEADERS, signInPage } from './sign-in-page.ts';
import { SIGN_IN_SCRIPT } from './sign-in-script.ts';
import { SIGN_IN_STYLE } from './sign-in-style.ts';

const signInQuery = z.strictObject({
  // a link that was changed on its way leads to the usual place
  returnTo: z.string().refine(isOwnPath).default('/docs').catch('/docs'),
});

/** The page at which people sign in. It needs nothing from outside, and works while the stores are away, to say so. */
@ApiExcludeController()
@Controller('sign-in')
@ServesAlways()
@Public()
export class SignInController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly personSignIn: PersonSignIn,
  ) {}

  @Get()
  async page(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query({ schema: signInQuery }) { returnTo }: z.output<typeof signInQuery>,
  ): Promise<string> {
    // whoever cannot be told, or not now, is asked to sign in
    const principal = await this.personSignIn.principalOf(request).catch(() => undefined);
    reply.headers(PAGE_HEADERS);
    const { publicPath, oidc } = this.config;
    return signInPage({ publicPath, returnTo, hasSso: oidc?.client !== undefined, signedInAs: principal?.username });
  }

  @Get('page.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  @Header('cache-control', 'no-cache')
  script(): string {
    return SIGN_IN_SCRIPT;
  }

  @Get('page.css')
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', 'no-cache')
  style(): string {
    return SIGN_IN_STYLE;
  }
}
