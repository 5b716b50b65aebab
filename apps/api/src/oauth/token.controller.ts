import { Controller, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply } from 'fastify';
import { IssueTokenCommand, ScopeRefused, TokenLimitReached } from '#access';
import type { AuthenticatedClient } from '#access';
import { Refusals } from '#events';
import { Metrics } from '#observability';
import { UsageRecorder } from '#usage';
import { Public } from '../http/access.ts';
import { Direct, sendJson } from '../http/direct-routes.ts';
import { ClientGuard, presentedPair } from './client.guard.ts';
import { ClientSignIn } from './client-sign-in.ts';
import { FormGuard } from './form.guard.ts';
import { DocumentedToken } from './oauth-docs.ts';
import { InvalidClient, InvalidRequest, UnsupportedGrantType } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

/** RFC 6749 5.1. */
interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly scope: string;
}

@Controller('oauth2')
@Public()
export class TokenController {
  constructor(
    private readonly commands: CommandBus,
    private readonly clients: ClientSignIn,
    private readonly refusals: Refusals,
    private readonly metrics: Metrics,
    private readonly usage: UsageRecorder,
  ) {}

  @Post('token')
  @HttpCode(200)
  @Direct()
  @UseGuards(FormGuard, ClientGuard)
  @DocumentedToken()
  async token(@Req() request: OAuthRequest, @Res() reply: FastifyReply): Promise<void> {
    sendJson(reply, JSON.stringify(await this.issue(request)));
  }

  private async issue(request: OAuthRequest): Promise<TokenAnswer> {
    const { user: client, form, clientAddress } = request;
    if (client.type !== 'client') throw new InvalidClient(); // resource servers cannot get tokens
    try {
      this.clients.checkAddress(client, clientAddress);
      checkGrantType(form.get('grant_type'));
      const command = new IssueTokenCommand(client, () => presentedPair(request).secret, {
        scope: form.get('scope'),
        address: clientAddress,
        requestId: request.id,
        deadlineAtMs: request.deadlineAtMs,
      });
      const { accessToken, expiresIn, scope } = await this.commands.execute(command);
      this.metrics.tokensIssued.inc();
      this.usage.issued(client.credential.id, client.secretId, clientAddress);
      return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn, scope: scope.join(' ') };
    } catch (error) {
      await this.recordRefusal(error, client, request);
      throw error;
    }
  }

  private async recordRefusal(
    error: unknown,
    { credential }: AuthenticatedClient,
    request: OAuthRequest,
  ): Promise<void> {
    await this.clients.recordRefusal(error, presentedPair(request), request.clientAddress);
    const reason =
      error instanceof ScopeRefused ? 'scope' : error instanceof TokenLimitReached ? 'token-limit' : undefined;
    if (reason === undefined) return;
    this.usage.refused(credential.id, reason);
    const subject = { type: 'credential', id: credential.id };
    this.refusals.record({ operationId: credential.operationId, subject, reason, ip: request.clientAddress ?? null });
  }
}

function checkGrantType(grantType: string | undefined): void {
  if (grantType === undefined || grantType === '') throw new InvalidRequest('grant_type is missing.');
  if (grantType !== 'client_credentials') throw new UnsupportedGrantType();
}
