import { Catch, Inject, NotFoundException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DomainError } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { ERROR_FORMATS } from './error-format.ts';
import type { ErrorFormat } from './error-format.ts';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { sendProblem } from './problem.ts';
import { RouteTable } from './route-table.ts';
import { toDomainError } from './to-domain-error.ts';

/** Sends every error as problem+json, or in the format of its routes, and logs its private detail. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly routes: RouteTable,
    @Inject(ERROR_FORMATS) private readonly formats: readonly ErrorFormat[],
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<LatchkeyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const format = this.formats.find((candidate) => candidate.covers(request.url));
    if (format?.sendRefusal(thrown, reply) === true) return;
    const unrouted =
      thrown instanceof NotFoundException ? this.routes.faultOf(request.url, request.method, reply) : undefined;
    const error = unrouted ?? toDomainError(thrown);
    this.log(error, request.id);
    if (reply.sent) return;
    if (error.code === 'unsupported-media-type') adviseMediaType(request.method, reply);
    if (format !== undefined && unrouted === undefined) format.send(error, reply);
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

/** Names the supported media type: RFC 5789 2.2 for PATCH, RFC 9110 12.5.1 for other methods. */
function adviseMediaType(method: string, reply: FastifyReply): void {
  reply.header(method === 'PATCH' ? 'accept-patch' : 'accept', 'application/json');
}
