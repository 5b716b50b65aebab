import { Controller, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { TokenVerifier } from '#access';
import type { GoodToken } from '#access';
import { whenReady } from '#kernel';
import { Metrics } from '#observability';
import { Public } from '../http/access.ts';
import { Direct, sendJson } from '../http/direct-routes.ts';
import { ClientGuard } from './client.guard.ts';
import type { SignedIn } from './client-sign-in.ts';
import { FormGuard } from './form.guard.ts';
import { IntrospectionAnswers } from './introspection-answers.ts';
import type { ActiveAnswer } from './introspection-answers.ts';
import { DocumentedIntrospection } from './oauth-docs.ts';
import { InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';
import { TokenUses } from './token-uses.ts';

const INACTIVE = '{"active":false}';
const COUNTED_ACTIVE = { result: 'active' };
const COUNTED_INACTIVE = { result: 'inactive' };

@Controller('oauth2')
@Public()
export class IntrospectionController {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly answers: IntrospectionAnswers,
    private readonly metrics: Metrics,
    private readonly uses: TokenUses,
  ) {}

  @Post('introspect')
  @HttpCode(200)
  @Direct()
  @UseGuards(FormGuard, ClientGuard)
  @DocumentedIntrospection()
  introspect(@Req() request: OAuthRequest, @Res() reply: FastifyReply): void | Promise<void> {
    const { form, user, clientAddress } = request;
    const token = form.get('token');
    if (token === undefined || token === '') throw new InvalidRequest('token is missing.');
    const claimedIp = form.get('client_ip');
    let judged: GoodToken | undefined;
    const answer = this.verifier.decide(
      token,
      (good) => this.answers.answer((judged = good), user, claimedIp, clientAddress),
      (active) => active !== undefined,
    );
    return whenReady(answer, (active) => {
      if (active === undefined) this.countRefusal(token, judged, user);
      this.send(active, reply);
    });
  }

  private countRefusal(text: string, good: GoodToken | undefined, user: SignedIn): void {
    if (user.type === 'resource-server') {
      const serves = good?.scope.some((key) => user.resourceServer.apis.includes(key)) === true;
      this.uses.refused(text, good, serves ? 'address' : 'scope');
    } else if (good === undefined || good.credential.id === user.credential.id) {
      this.uses.refused(text, good, 'address');
    }
  }

  private send(active: ActiveAnswer, reply: FastifyReply): void {
    this.metrics.introspections.inc(active === undefined ? COUNTED_INACTIVE : COUNTED_ACTIVE);
    sendJson(reply, active ?? INACTIVE);
  }
}
