import type { FastifyReply } from 'fastify';
import { DomainError } from '#kernel';
import type { FieldFault } from '#kernel';
import { errorStatus } from './error-status.ts';

/** An RFC 9457 problem document. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly FieldFault[];
  /** Extension members (RFC 9457 3.2), such as `secrets` in `rotation-in-progress`. */
  readonly [extension: string]: unknown;
}

/** The problem document of an error. @param requestId becomes `instance`, which callers quote in reports */
export function problemOf(error: DomainError, requestId: string): Problem {
  const { title, status } = errorStatus[error.code];
  return {
    ...error.extensions,
    type: `urn:latchkey:problem:${error.code}`,
    title,
    status,
    detail: error.publicDetail,
    instance: requestId,
    ...(error.errors === undefined ? {} : { errors: error.errors }),
  };
}

/** Sends the error as `application/problem+json`. */
export function sendProblem(reply: FastifyReply, error: DomainError, requestId: string): void {
  const problem = problemOf(error, requestId);
  reply.code(problem.status).header('cache-control', 'no-store');
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds));
  if (problem.status === 401) reply.header('www-authenticate', challengesFor(reply));
  // keep the connection open: Fastify would close it, and the reset could overtake the answer; Node discards the rest
  if (problem.status === 413) reply.removeHeader('connection');
  reply.type('application/problem+json').serializer(JSON.stringify).send(problem);
}

const BASIC = 'Basic realm="latchkey admin", charset="UTF-8"';

/**
 * RFC 9110 15.5.2: a 401 lists the authentication schemes. Scripts get no `Basic`, because the browser would open its
 * own sign-in dialog on top of their page.
 */
function challengesFor({ request }: FastifyReply): string[] {
  return request.headers['sec-fetch-dest'] === 'empty' ? ['Bearer'] : [BASIC, 'Bearer'];
}

/** An unexpected error, of which the caller learns no detail. */
export function internalError(cause: unknown): DomainError {
  return new DomainError(
    'internal',
    'The request could not be processed. Try again; if it persists, report the request id (`instance`).',
    {
      cause,
    },
  );
}
