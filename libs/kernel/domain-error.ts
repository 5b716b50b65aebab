import type { ErrorCode } from './error-code.ts';

/** One fault of one member of the input, named by a JSON pointer (RFC 6901). Never contains the submitted value. */
export interface FieldFault {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

export interface DomainErrorDetails {
  /** For the log only: may name ids, never secrets. */
  readonly privateDetail?: string;
  readonly errors?: readonly FieldFault[];
  readonly retryAfterSeconds?: number;
  /** Members of the problem document beside the standard ones (RFC 9457 3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The only error that business code throws. The HTTP status of its code is in apps/api/src/http/error-status.ts. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly privateDetail: string | undefined;
  readonly errors: readonly FieldFault[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;

  /** @param publicDetail text for the caller: says what to do and repeats nothing that was submitted */
  constructor(
    readonly code: ErrorCode,
    readonly publicDetail: string,
    details: DomainErrorDetails = {},
  ) {
    super(publicDetail, { cause: details.cause });
    this.privateDetail = details.privateDetail;
    this.errors = details.errors;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.extensions = details.extensions;
  }

  /** A 400 that names the member at fault. */
  static invalid(pointer: string, code: string, message: string): DomainError {
    return new DomainError('validation', 'The request is not valid. See `errors`.', {
      errors: [{ pointer, code, message }],
    });
  }

  /** The same text for an unknown id and for one that the caller may not see, so that it does not reveal which. */
  static notFound(thing: string): DomainError {
    return new DomainError('not-found', `There is no such ${thing}, or you may not see it.`);
  }
}
