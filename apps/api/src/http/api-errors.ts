import { ApiExtension } from '@nestjs/swagger';
import { PROBLEMS } from '../openapi/problems.ts';

/**
 * Names the problems that a route may answer, by their codes, for the OpenAPI document; those that follow from what the route
 * is (signing in, reading a body, the store being away …) are added there.
 */
export function ApiProblems(...codes: string[]): MethodDecorator {
  return ApiExtension(PROBLEMS, codes);
}
