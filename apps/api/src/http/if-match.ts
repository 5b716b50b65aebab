import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DomainError } from '#kernel';
import type { ExpectedVersion } from '#kernel';
import type { LatchkeyRequest } from './latchkey-request.ts';

const ENTITY_TAGS = /^\s*"v(\d{1,15})"\s*(?:,\s*"v(\d{1,15})"\s*)*$/;

/**
 * Reads an `If-Match` (RFC 9110 13.1.1).
 *
 * @returns `any` for `*`; undefined when the header is absent; versions of which none can match for tags never given out
 */
export function parseIfMatch(header: string | undefined): ExpectedVersion {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return 'any';
  if (!ENTITY_TAGS.test(header)) return []; // a foreign, weak or mangled tag matches nothing: 412
  return [...header.matchAll(/"v(\d+)"/g)].map((match) => Number(match[1]));
}

/** The versions that the caller's `If-Match` names. @throws DomainError `precondition-required` (428) without the header */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): ExpectedVersion => {
  const expected = parseIfMatch(context.switchToHttp().getRequest<LatchkeyRequest>().headers['if-match']);
  if (expected !== undefined) return expected;
  throw new DomainError(
    'precondition-required',
    'Send the ETag that you read as If-Match, so that no one else’s change is lost.',
    {
      errors: [
        { pointer: '/header/If-Match', code: 'required', message: 'Send the ETag of the last answer, or * for any.' },
      ],
    },
  );
});

/** The same where the caller may leave the header out. */
export const OptionalIfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): ExpectedVersion =>
  parseIfMatch(context.switchToHttp().getRequest<LatchkeyRequest>().headers['if-match']),
);

/** Sends a view: its version goes into the ETag, the rest is the body. */
export function withEtag<T extends { readonly version: number }>(reply: FastifyReply, view: T): Omit<T, 'version'> {
  const { version, ...body } = view;
  reply.header('etag', `"v${version}"`);
  return body;
}
