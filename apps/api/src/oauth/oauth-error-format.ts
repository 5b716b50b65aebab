import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { DomainError } from '#kernel';
import type { ErrorFormat } from '../http/error-format.ts';
import { oauthErrorOf, oauthRefusalOf, sendOAuthError } from './oauth-error.ts';

/** Errors under /oauth2/ have the format of RFC 6749 5.2. */
@Injectable()
export class OAuthErrorFormat implements ErrorFormat {
  covers(url: string): boolean {
    return url.startsWith('/oauth2/');
  }

  sendRefusal(thrown: unknown, reply: FastifyReply): boolean {
    const refusal = oauthRefusalOf(thrown);
    if (refusal === undefined) return false;
    if (!reply.sent) sendOAuthError(reply, refusal);
    return true;
  }

  send(error: DomainError, reply: FastifyReply): void {
    sendOAuthError(reply, oauthErrorOf(error));
  }
}
