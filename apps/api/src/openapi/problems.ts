import { z } from 'zod';
import type { ErrorCode } from '#kernel';
import { PROBLEMS } from '../http/api-problems.ts';
import { errorStatus } from '../http/error-status.ts';
import { problemSchema } from '../http/problem-schema.ts';
import { headers } from './headers.ts';
import { operationsOf, takesIdempotencyKey } from './document.ts';
import type { Document, PlacedOperation, ResponseObject } from './document.ts';

/** What any admin call may answer. */
const always: readonly ErrorCode[] = [
  'validation',
  'unauthenticated',
  'forbidden',
  'not-acceptable',
  'too-many-attempts',
  'too-busy',
  'store-unavailable',
  'log-inconsistent',
  'not-ready',
  'identity-provider-unavailable',
];
/** What a call by a method that may carry a body may answer, whether or not it wants one. */
const withBody: readonly ErrorCode[] = [
  'cross-site-request',
  'malformed-json',
  'malformed-request',
  'body-too-large',
  'unsupported-media-type',
];
/** What a call that takes an Idempotency-Key may answer. */
const withIdempotencyKey: readonly ErrorCode[] = [
  'idempotency-key-in-use',
  'deleted-meanwhile',
  'idempotency-key-reused',
];
const withPathParameter: readonly ErrorCode[] = ['malformed-request', 'uri-too-long'];

/** Documents the problems of every admin call: those it names, and those that follow from what it is. */
export function documentProblems(document: Document): void {
  const { definitions = {} } = z.toJSONSchema(problemSchema, { target: 'openapi-3.0', io: 'output' });
  const schemas = JSON.parse(
    JSON.stringify(definitions).replaceAll('#/definitions/', '#/components/schemas/'),
  ) as object;
  const used = new Set<ErrorCode>();
  for (const placed of operationsOf(document)) {
    const own = codesOf(placed.operation);
    if (!placed.path.startsWith('/v1/')) continue;
    const codes = [
      ...own,
      ...always,
      ...(placed.method === 'get' ? [] : withBody),
      ...(placed.path.includes('{') ? withPathParameter : []),
      ...(takesIdempotencyKey(placed.operation) ? withIdempotencyKey : []),
    ];
    addResponses(placed, codes);
    for (const code of codes) used.add(code);
  }
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...schemas },
    examples: Object.fromEntries([...used].sort().map((code) => [code, { value: exampleOf(code) }])),
  };
}

function codesOf(operation: PlacedOperation['operation']): ErrorCode[] {
  const extended = operation as unknown as Record<string, unknown>;
  const codes = (extended[PROBLEMS] ?? []) as ErrorCode[];
  Reflect.deleteProperty(extended, PROBLEMS);
  return codes;
}

function addResponses({ operation }: PlacedOperation, codes: readonly ErrorCode[]): void {
  const byStatus = Map.groupBy(new Set(codes), (code) => String(errorStatus[code].status));
  for (const [status, own] of [...byStatus].sort()) {
    operation.responses[status] = {
      description: own.map((code) => `\`${code}\`: ${errorStatus[code].title}.`).join(' '),
      headers: headersOf(Number(status), own),
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: Object.fromEntries(own.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
        },
      },
    };
  }
}

function headersOf(status: number, codes: readonly ErrorCode[]): NonNullable<ResponseObject['headers']> {
  const wait = status === 429 || status === 503 || codes.includes('idempotency-key-in-use');
  return {
    ...headers('X-Request-Id'),
    ...(status === 401 ? headers('WWW-Authenticate') : {}),
    ...(wait ? headers('Retry-After') : {}),
  };
}

function exampleOf(code: ErrorCode): object {
  const { status, title } = errorStatus[code];
  return {
    type: `urn:latchkey:problem:${code}`,
    title,
    status,
    detail: code === 'validation' ? 'The request is not valid. See `errors`.' : `${title}.`,
    instance: '0b9f2f0e-6a1c-4d57-8f6a-3f1f4c1f7b21',
    ...(code === 'validation'
      ? {
          errors: [
            { pointer: '/name', code: 'unknown-member', message: 'There is no such member here; leave it out.' },
          ],
        }
      : {}),
  };
}
