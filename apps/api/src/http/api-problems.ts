import { ApiExtension } from '@nestjs/swagger';
import type { ErrorCode } from '#kernel';
import { problemsOfIfMatch } from './if-match.ts';

/** The member of an OpenAPI operation in which `@ApiProblems` stores the codes until the document is completed. */
export const PROBLEMS = 'x-latchkey-problems';

/**
 * Declares the error codes of a route for the OpenAPI document. It adds those of `@IfMatch`. Codes that follow from the
 * route itself (sign-in, a body, an Idempotency-Key, an unavailable store) are added when the document is completed.
 */
export function ApiProblems(...codes: ErrorCode[]): MethodDecorator {
  return (controller, method, descriptor) => {
    // decorators of parameters run before those of their method
    const declare: MethodDecorator = ApiExtension(PROBLEMS, [...codes, ...problemsOfIfMatch(controller, method)]);
    declare(controller, method, descriptor);
  };
}
