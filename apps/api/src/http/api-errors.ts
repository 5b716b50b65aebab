import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { errorStatus } from './error-status.ts';
import { problemSchema } from './fields.ts';

/** Problems that any admin route may answer. */
const always = [
  'validation',
  'unauthenticated',
  'forbidden',
  'not-acceptable',
  'too-many-attempts',
  'store-unavailable',
  'identity-provider-unavailable',
];

/** Documents the problems that a route may answer, by their codes, with those that every route may answer. */
export function ApiProblems(...codes: string[]): MethodDecorator {
  const byStatus = Map.groupBy([...new Set([...codes, ...always])], (code) => errorStatus[code]?.status ?? 500);
  return applyDecorators(
    ...[...byStatus].map(([status, own]) =>
      ApiResponse({
        status,
        description: own.map((code) => `\`${code}\`: ${errorStatus[code]?.title ?? ''}.`).join(' '),
        content: { 'application/problem+json': {} },
        standardSchema: problemSchema,
      }),
    ),
  );
}
