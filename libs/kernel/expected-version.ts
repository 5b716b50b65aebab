import { DomainError } from './domain-error.ts';

/** One tag of an `If-Match`: a version, a tag that is none of ours, or text that is no tag. */
export type ExpectedTag = number | 'foreign' | 'mangled';

/**
 * What the caller believes to change: one of these versions (its `If-Match`), `any` (`If-Match: *`), or undefined where
 * the call does not need to say.
 */
export type ExpectedVersion = readonly ExpectedTag[] | 'any' | undefined;

/** @throws DomainError `precondition-failed` when the thing is not at an expected version (RFC 9110 13.1.1) */
export function checkVersion(actual: number, expected: ExpectedVersion): void {
  if (expected === undefined || expected === 'any' || expected.includes(actual)) return;
  const detail = faultOf(expected, actual);
  throw new DomainError('precondition-failed', detail, {
    errors: [{ pointer: '/header/If-Match', code: 'precondition-failed', message: detail }],
  });
}

function faultOf(expected: readonly ExpectedTag[], actual: number): string {
  if (expected.includes('mangled')) {
    return `If-Match is not a list of ETags. Send the ETag as it was given, with its quotes: "v${actual}" is the present one.`;
  }
  if (expected.every((tag) => tag === 'foreign')) {
    return `If-Match names no ETag that was given out here. Read the thing again and send its ETag, as "v${actual}".`;
  }
  const named = expected.filter((tag) => typeof tag === 'number').map((version) => `"v${version}"`);
  return `It has "v${actual}" now, and If-Match names ${named.slice(0, 5).join(', ')}: it has changed since you read it. Read it again before you change it.`;
}
