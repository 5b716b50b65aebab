import { Controller, Delete, Get, HttpCode, Param, Req, UseGuards } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { AuthenticatedClient } from '#access';
import { EndTokensCommand, ListTokensQuery } from '#credentials';
import { DomainError } from '#kernel';
import { Public } from '../http/access.ts';
import { ClientGuard, presentedPair } from './client.guard.ts';
import { ClientSignIn } from './client-sign-in.ts';
import { NoFormGuard } from './no-form.guard.ts';
import { InvalidClient, InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';
import { DocumentedEndAll, DocumentedEndOne, DocumentedTokenList } from './own-tokens-docs.ts';

/** A live token, in the spelling of OAuth 2.0. */
interface OwnToken {
  readonly id: string;
  readonly issued_at: string;
  readonly expires_at: string;
  readonly scope: string;
  readonly issued_to: string | null;
}

/** A client looks after its own live tokens: after a crash it has lost them, and they still count towards its limit. */
@Controller('oauth2/tokens')
@Public()
@UseGuards(NoFormGuard, ClientGuard)
export class OwnTokensController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly clients: ClientSignIn,
  ) {}

  @Get()
  @DocumentedTokenList()
  async list(@Req() request: OAuthRequest): Promise<{ readonly items: readonly OwnToken[] }> {
    const { id, operationId } = (await this.client(request)).credential;
    const tokens = await this.queries.execute(new ListTokensQuery(operationId, id));
    return {
      items: tokens.map((token) => ({
        id: token.id,
        issued_at: token.issuedAt,
        expires_at: token.expiresAt,
        scope: token.scope,
        issued_to: token.issuedTo,
      })),
    };
  }

  @Delete()
  @HttpCode(204)
  @DocumentedEndAll()
  async endAll(@Req() request: OAuthRequest): Promise<void> {
    await this.end(request);
  }

  @Delete(':tokenId')
  @HttpCode(204)
  @DocumentedEndOne()
  async endOne(@Req() request: OAuthRequest, @Param('tokenId') tokenId: string): Promise<void> {
    try {
      await this.end(request, tokenId);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'not-found') throw error;
      throw new InvalidRequest('This client has no live token with this id.', 404);
    }
  }

  private async end(request: OAuthRequest, tokenId?: string): Promise<void> {
    const { id, operationId, clientId } = (await this.client(request)).credential;
    const actor = { type: 'client' as const, id: clientId, ip: request.clientAddress ?? null };
    await this.commands.execute(new EndTokensCommand({ actor, requestId: request.id }, operationId, id, tokenId));
  }

  /** A revocation shows the token; this takes the secret alone. So Allowed IPs apply, as for a new token. */
  private async client(request: OAuthRequest): Promise<AuthenticatedClient> {
    const { user, clientAddress } = request;
    if (user.type !== 'client') throw new InvalidClient(); // resource servers have no tokens
    try {
      this.clients.checkAddress(user, clientAddress);
    } catch (error) {
      await this.clients.recordRefusal(error, presentedPair(request), clientAddress);
      throw error;
    }
    return user;
  }
}
