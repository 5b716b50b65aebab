import { Catch, Inject, NotFoundException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DomainError } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { sendProblem } from './problem.ts';
import { sendOAuthError, toOAuthError } from '../oauth/oauth-error.ts';
import type { OAuthError } from '../oauth/oauth-error.ts';
import { RouteTable } from './route-table.ts';
import { toDomainError } from './to-domain-error.ts';

/** The last resort of every route: any error becomes problem+json, and what the caller is not told goes to the log. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly routes: RouteTable,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<LatchkeyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const oauth = request.url.startsWith('/oauth2/') ? toOAuthError(thrown) : undefined;
    const error = thrown instanceof NotFoundException ? this.unrouted(request, reply) : toDomainError(thrown);
    this.log(error, oauth, request.id);
    if (reply.sent) return;
    if (oauth === undefined) sendProblem(reply, error, request.id);
    else sendOAuthError(reply, oauth);
  }

  private log(error: DomainError, oauth: OAuthError | undefined, requestId: string): void {
    // an OAuth refusal is no DomainError, and no fault of ours: it is counted where it arises
    if (error.code === 'internal' && (oauth === undefined || oauth.error === 'server_error')) {
      this.logger.error({ err: error.cause ?? error, requestId }, 'request failed');
    } else if (error.privateDetail !== undefined) {
      this.logger.info({ code: error.code, detail: error.privateDetail, requestId }, 'request refused');
    }
  }

  /** No route took the request: the path is not known, or not by this method (RFC 9110 15.5.6: then `Allow` tells which). */
  private unrouted(request: LatchkeyRequest, reply: FastifyReply): DomainError {
    const methods = this.routes.methodsOf(request.url);
    if (methods.length === 0 || methods.includes(request.method)) {
      return new DomainError('not-found', 'There is nothing at this address; see /docs for what there is.');
    }
    reply.header('allow', methods.join(', '));
    return new DomainError('method-not-allowed', 'Use one of the methods that Allow names.');
  }
}
