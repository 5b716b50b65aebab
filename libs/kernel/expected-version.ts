import { DomainError } from './domain-error.ts';

/**
 * What the caller believes to change: one of these versions (its `If-Match`), `any` (`If-Match: *`), or undefined where
 * the call does not need to say.
 */
export type ExpectedVersion = readonly number[] | 'any' | undefined;

/** @throws DomainError `precondition-failed` when the thing is not at an expected version (RFC 9110 13.1.1) */
export function checkVersion(actual: number, expected: ExpectedVersion): void {
  if (expected === undefined || expected === 'any' || expected.includes(actual)) return;
  throw new DomainError(
    'precondition-failed',
    'It has changed since you read it. Read it again, and send its new ETag as If-Match.',
  );
}
