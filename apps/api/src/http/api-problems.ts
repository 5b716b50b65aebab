import { ApiExtension } from '@nestjs/swagger';
import type { ErrorCode } from '#kernel';

/** The OpenAPI operation's member in which `@ApiProblems` leaves the codes, until the document is completed. */
export const PROBLEMS = 'x-latchkey-problems';

/**
 * Names the error codes that a route may answer, for the OpenAPI document. Codes that follow from the route itself (sign-in,
 * reading a body, an unavailable store) are added there.
 */
export function ApiProblems(...codes: ErrorCode[]): MethodDecorator {
  return ApiExtension(PROBLEMS, codes);
}
