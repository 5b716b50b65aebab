import { DomainError } from './domain-error.ts';

/** One tag of an `If-Match`: a version, a tag of another form (`foreign`), or text that is not a tag (`malformed`). */
export type ExpectedTag = number | 'foreign' | 'malformed';

/**
 * The versions that the caller accepts: those of its `If-Match`, `any` for `If-Match: *`, or undefined where the header
 * is not required.
 */
export type ExpectedVersion = readonly ExpectedTag[] | 'any' | undefined;

/** @throws DomainError `precondition-failed` when the actual version is not an expected one (RFC 9110 13.1.1) */
export function checkVersion(actual: number, expected: ExpectedVersion): void {
  if (expected === undefined || expected === 'any' || expected.includes(actual)) return;
  const detail = faultOf(expected, actual);
  throw new DomainError('precondition-failed', detail, {
    errors: [{ pointer: '/header/If-Match', code: 'precondition-failed', message: detail }],
  });
}

function faultOf(expected: readonly ExpectedTag[], actual: number): string {
  if (expected.includes('malformed')) {
    return `If-Match is not a list of ETags. Send the ETag with its quotes; the current one is "v${actual}".`;
  }
  if (expected.every((tag) => tag === 'foreign')) {
    return `If-Match contains no ETag of this resource. Read it again and send its ETag, such as "v${actual}".`;
  }
  const named = expected.filter((tag) => typeof tag === 'number').map((version) => `"v${version}"`);
  return `The resource is at "v${actual}", but If-Match names ${named.slice(0, 5).join(', ')}. Read it again before you change it.`;
}
