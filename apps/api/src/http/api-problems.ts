import { ApiExtension } from '@nestjs/swagger';
import type { ErrorCode } from '#kernel';

/** The member of an OpenAPI operation in which `@ApiProblems` stores the codes until the document is completed. */
export const PROBLEMS = 'x-latchkey-problems';

/**
 * Declares the error codes of a route for the OpenAPI document. Codes that follow from the route itself (sign-in, a
 * body, an unavailable store) are added there.
 */
export function ApiProblems(...codes: ErrorCode[]): MethodDecorator {
  return ApiExtension(PROBLEMS, codes);
}
