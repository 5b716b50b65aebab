import { Controller, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { TokenVerifier } from '#access';
import { whenReady } from '#kernel';
import { Metrics } from '#observability';
import { Public } from '../http/access.ts';
import { Direct, sendJson } from '../http/direct-routes.ts';
import { ClientGuard } from './client.guard.ts';
import { FormGuard } from './form.guard.ts';
import { IntrospectionAnswers } from './introspection-answers.ts';
import type { ActiveAnswer } from './introspection-answers.ts';
import { DocumentedIntrospection } from './oauth-docs.ts';
import { InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

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
    const answer = this.verifier.decide(
      token,
      (good) => this.answers.answer(good, user, claimedIp, clientAddress),
      (active) => active !== undefined,
    );
    return whenReady(answer, (active) => this.send(active, reply));
  }

  private send(active: ActiveAnswer, reply: FastifyReply): void {
    this.metrics.introspections.inc(active === undefined ? COUNTED_INACTIVE : COUNTED_ACTIVE);
    sendJson(reply, active ?? INACTIVE);
  }
}
