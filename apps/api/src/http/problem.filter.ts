import { Catch, Inject, NotFoundException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DomainError } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { sendProblem } from './problem.ts';
import { oauthErrorOf, oauthRefusalOf, sendOAuthError } from '../oauth/oauth-error.ts';
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
    const isOAuth = request.url.startsWith('/oauth2/');
    // no fault of ours, and counted where it arose
    const refusal = isOAuth ? oauthRefusalOf(thrown) : undefined;
    if (refusal !== undefined) {
      if (!reply.sent) sendOAuthError(reply, refusal);
      return;
    }
    const unrouted =
      thrown instanceof NotFoundException ? this.routes.faultOf(request.url, request.method, reply) : undefined;
    const error = unrouted ?? toDomainError(thrown);
    this.log(error, request.id);
    if (reply.sent) return;
    if (error.code === 'unsupported-media-type') adviseMediaType(request.method, reply);
    if (isOAuth && unrouted === undefined) sendOAuthError(reply, oauthErrorOf(error));
    else sendProblem(reply, error, request.id);
  }

  private log(error: DomainError, requestId: string): void {
    if (error.code === 'internal') {
      this.logger.error({ err: error.cause ?? error, requestId }, 'request failed');
    } else if (error.privateDetail !== undefined) {
      this.logger.info({ code: error.code, detail: error.privateDetail, requestId }, 'request refused');
    }
  }
}

/** RFC 5789 2.2 for PATCH, RFC 9110 12.5.1 for the others: what to send instead. */
function adviseMediaType(method: string, reply: FastifyReply): void {
  reply.header(method === 'PATCH' ? 'accept-patch' : 'accept', 'application/json');
}
