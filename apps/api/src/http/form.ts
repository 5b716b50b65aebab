/** A form body that is not application/x-www-form-urlencoded. `publicMessage` never contains the submitted text. */
export class FormError extends Error {
  override readonly name = 'FormError';

  constructor(readonly publicMessage: string) {
    super(publicMessage);
  }
}

/** The parameters of a form: the first value of each name, and the names that occur more than once. */
export interface Form {
  readonly values: ReadonlyMap<string, string>;
  readonly repeated: ReadonlySet<string>;
}

// an encoded form is ASCII; a plain space is accepted, because hand-written calls send it and it is unambiguous
const ENCODED = /^[\x20-\x7e]*$/;
/** The same without `%` and `+`. */
const PLAIN = /^[\x20-\x24\x26-\x2a\x2c-\x7e]*$/;
const NO_NAMES: ReadonlySet<string> = new Set();

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw new FormError('The form has a percent-escape that is incomplete or not UTF-8.');
  }
}

/**
 * Reads application/x-www-form-urlencoded text strictly, in linear time (RFC 6749 appendix B). Names are plain text:
 * `grant_type[]` does not create an array.
 * @throws FormError on an invalid percent-escape, escapes that are not UTF-8, and bytes that an encoded form cannot
 * have
 */
export function parseForm(body: string): Form {
  // most forms have no escapes, and need no second look at each part
  const read = PLAIN.test(body) ? asIs : decode;
  if (read === decode && !ENCODED.test(body)) {
    throw new FormError('The form has characters that must be percent-encoded.');
  }
  const values = new Map<string, string>();
  let repeated: Set<string> | undefined;
  for (let from = 0; from < body.length;) {
    const ampersand = body.indexOf('&', from);
    const end = ampersand < 0 ? body.length : ampersand;
    if (end > from) {
      const pair = body.slice(from, end);
      const equals = pair.indexOf('=');
      const name = read(equals < 0 ? pair : pair.slice(0, equals));
      const value = equals < 0 ? '' : read(pair.slice(equals + 1));
      if (values.has(name)) (repeated ??= new Set()).add(name);
      else values.set(name, value);
    }
    from = end + 1;
  }
  return { values, repeated: repeated ?? NO_NAMES };
}

function asIs(text: string): string {
  return text;
}

/**
 * Whether a Content-Type is application/x-www-form-urlencoded. Parameters are ignored: none is defined, and an encoded
 * form is ASCII for any `charset` (WHATWG URL 5).
 */
export function isFormMediaType(contentType: string | undefined): boolean {
  const [type = ''] = (contentType ?? '').split(';', 1);
  return type.trim().toLowerCase() === 'application/x-www-form-urlencoded';
}
