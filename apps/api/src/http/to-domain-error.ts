import { HttpException } from '@nestjs/common';
import { DomainError } from '#kernel';
import type { ErrorCode } from '#kernel';
import { asDomainError } from '#mongo';
import { internalError } from './problem.ts';
import { StrictJsonError } from './strict-json.ts';

/** Fastify's errors, by their codes. */
const fastifyErrors: Readonly<Record<string, () => DomainError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new DomainError('body-too-large', 'The body is too large. Send a smaller one.'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: unsupportedMediaType,
  FST_ERR_CTP_EMPTY_TYPE: unsupportedMediaType,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new DomainError('malformed-request', 'The length of the body differs from Content-Length.'),
  FST_ERR_BAD_URL: () => new DomainError('malformed-request', 'The path has a percent-escape that cannot be decoded.'),
  FST_ERR_MAX_PARAM_LENGTH: () =>
    new DomainError('uri-too-long', 'A part of the path is longer than any id. Check the URL.'),
};

function unsupportedMediaType(): DomainError {
  return new DomainError('unsupported-media-type', 'Send the body as application/json.');
}

const httpCodes: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  413: 'body-too-large',
  414: 'uri-too-long',
  415: 'unsupported-media-type',
};

/**
 * Converts any error to a DomainError. An unknown error becomes `internal`, and its text is only logged.
 */
export function toDomainError(thrown: unknown): DomainError {
  const error = asDomainError(thrown);
  if (error instanceof DomainError) return error;
  if (error instanceof StrictJsonError) {
    return new DomainError('malformed-json', error.publicMessage, {
      errors: [{ pointer: error.pointer, code: 'malformed-json', message: error.publicMessage }],
    });
  }
  // Nest wraps Fastify's client errors
  const source = error instanceof HttpException ? error.cause : error;
  if (source instanceof Error && 'code' in source && typeof source.code === 'string') {
    const known = fastifyErrors[source.code];
    if (known !== undefined) return known();
  }
  // Node's error for a connection that was closed in the middle of the body
  if (source instanceof Error && source.message === 'aborted') {
    return new DomainError('malformed-request', 'The body is incomplete.');
  }
  if (error instanceof HttpException) {
    const code = httpCodes[error.getStatus()];
    if (code !== undefined)
      return new DomainError(code, 'The request cannot be served. See `title`.', { cause: error });
  }
  return internalError(error);
}
