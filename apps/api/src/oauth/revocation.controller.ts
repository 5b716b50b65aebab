import { Controller, Header, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { RevokeTokenCommand } from '#access';
import { Public } from '../http/access.ts';
import { ClientGuard } from './client.guard.ts';
import { FormGuard } from './form.guard.ts';
import { DocumentedRevocation } from './oauth-docs.ts';
import { InvalidClient, InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

@Controller('oauth2')
@Public()
export class RevocationController {
  constructor(private readonly commands: CommandBus) {}

  @Post('revoke')
  @HttpCode(200)
  @Header('content-length', '0')
  @UseGuards(FormGuard, ClientGuard)
  @DocumentedRevocation()
  async revoke(@Req() request: OAuthRequest): Promise<void> {
    const { user: client, form, clientAddress } = request;
    if (client.type !== 'client') throw new InvalidClient(); // RFC 7009 2.1: clients revoke their own tokens
    const token = form.get('token');
    if (token === undefined || token === '') throw new InvalidRequest('token is missing.');
    const actor = { type: 'client' as const, id: client.credential.clientId, ip: clientAddress ?? null };
    await this.commands.execute(
      new RevokeTokenCommand({ actor, requestId: request.id }, client, token, request.deadlineAtMs),
    );
  }
}
