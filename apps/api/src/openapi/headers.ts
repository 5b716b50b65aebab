import type { Document, Headers } from './document.ts';

/** Headers of answers, described once. */
const described = {
  ETag: { description: 'The version of the thing, to be sent as If-Match.', example: '"v1"' },
  Location: {
    description: 'The path of what was created.',
    example: '/v1/operations/op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
  },
  'Idempotency-Replayed': {
    description: '`true` where this repeats the answer to an earlier request with the same Idempotency-Key.',
    example: 'true',
  },
  'Retry-After': { description: 'Seconds to wait before asking again.', example: '2' },
  'WWW-Authenticate': {
    description: 'How to sign in (RFC 9110 11.6.1).',
    example: 'Basic realm="latchkey admin", charset="UTF-8"',
  },
  'X-Request-Id': {
    description:
      'Id of the request: yours, where you sent a fit one, or a new one. It stands in the log and in the event log.',
    example: '0b9f2f0e-6a1c-4d57-8f6a-3f1f4c1f7b21',
  },
} as const;

export type HeaderName = keyof typeof described;

/** References to described headers, for an answer. */
export function headers(...names: HeaderName[]): Headers {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Adds the descriptions that `headers` refers to. */
export function documentHeaders(document: Document): void {
  const components = Object.entries(described).map(([name, { description, example }]) => [
    name,
    { description, schema: { type: 'string' }, example },
  ]);
  document.components = { ...document.components, headers: Object.fromEntries(components) as never };
}
