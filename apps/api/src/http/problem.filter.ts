import { Catch, Inject } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { sendProblem } from './problem.ts';
import { toDomainError } from './to-domain-error.ts';

/** The last resort of every route: any error becomes problem+json, and what the caller is not told goes to the log. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<LatchkeyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Also for what fails before any route is reached. */
  answer(thrown: unknown, request: LatchkeyRequest, reply: FastifyReply): void {
    const error = toDomainError(thrown);
    if (error.code === 'internal')
      this.logger.error({ err: error.cause ?? error, requestId: request.id }, 'request failed');
    else if (error.privateDetail !== undefined) {
      this.logger.info({ code: error.code, detail: error.privateDetail, requestId: request.id }, 'request refused');
    }
    if (!reply.sent) sendProblem(reply, error, request.id);
  }
}
