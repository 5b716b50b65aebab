import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DomainError } from '#kernel';
import type { ErrorCode, ExpectedTag, ExpectedVersion } from '#kernel';
import type { LatchkeyRequest } from './latchkey-request.ts';

// RFC 9110 8.8.3: an opaque tag in quotes, weak or strong; 5.6.1: a list may have empty elements
const ENTITY_TAG = /(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/;
const ELEMENT = new RegExp(`[ \\t]*(?:${ENTITY_TAG.source})?[ \\t]*(?:,|$)`, 'y');
const OWN_TAG = /^v(0|[1-9]\d{0,14})$/;

/**
 * Reads an `If-Match` (RFC 9110 13.1.1). A weak tag counts as strong: proxies that compress weaken tags, and these tags
 * name a version, not its bytes.
 *
 * @returns `any` for `*`; undefined when the header is absent
 */
export function parseIfMatch(header: string | undefined): ExpectedVersion {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return 'any';
  const tags: ExpectedTag[] = [];
  for (let at = 0; at < header.length; at = ELEMENT.lastIndex) {
    ELEMENT.lastIndex = at;
    const element = ELEMENT.exec(header);
    if (element === null) return ['malformed'];
    const [, opaque] = element;
    if (opaque === undefined) continue;
    const version = OWN_TAG.exec(opaque)?.[1];
    tags.push(version === undefined ? 'foreign' : Number(version));
  }
  return tags.length === 0 ? ['malformed'] : tags;
}

const IF_MATCH_PROBLEMS = 'latchkey:if-match-problems';

/** The versions in the caller's `If-Match`. @throws DomainError `precondition-required` (428) without the header */
export function IfMatch(): ParameterDecorator {
  return withProblems(requiredIfMatch(), ['precondition-failed', 'precondition-required']);
}

/** Like `IfMatch`, but the header is optional. */
export function OptionalIfMatch(): ParameterDecorator {
  return withProblems(optionalIfMatch(), ['precondition-failed']);
}

/** The error codes that follow from an `@IfMatch` or `@OptionalIfMatch` parameter of the method. */
export function problemsOfIfMatch(controller: object, method: string | symbol): readonly ErrorCode[] {
  return (Reflect.getMetadata(IF_MATCH_PROBLEMS, controller, method) ?? []) as readonly ErrorCode[];
}

const requiredIfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): ExpectedVersion => {
  const expected = ifMatchOf(context);
  if (expected !== undefined) return expected;
  throw new DomainError(
    'precondition-required',
    'Send the ETag of your last read as If-Match, so that you do not overwrite another change.',
    {
      errors: [
        {
          pointer: '/header/If-Match',
          code: 'required',
          message: 'Send the ETag of the last answer, or * for any version.',
        },
      ],
    },
  );
});

const optionalIfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): ExpectedVersion =>
  ifMatchOf(context),
);

function ifMatchOf(context: ExecutionContext): ExpectedVersion {
  return parseIfMatch(context.switchToHttp().getRequest<LatchkeyRequest>().headers['if-match']);
}

function withProblems(reader: ParameterDecorator, codes: readonly ErrorCode[]): ParameterDecorator {
  return (controller, method, index) => {
    reader(controller, method, index);
    if (method !== undefined) Reflect.defineMetadata(IF_MATCH_PROBLEMS, codes, controller, method);
  };
}

/**
 * Puts the version of a view into the ETag and returns the rest as the body. `no-transform` asks proxies not to change
 * the body, which would weaken the tag (RFC 9111 5.2.2.6).
 */
export function withEtag<T extends { readonly version: number }>(reply: FastifyReply, view: T): Omit<T, 'version'> {
  const { version, ...body } = view;
  reply.header('etag', `"v${version}"`).header('cache-control', 'no-store, no-transform');
  return body;
}
