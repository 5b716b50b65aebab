import { ScopeRefused } from './access-error.ts';

// RFC 6749 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), one space between two
const GRAMMAR = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/**
 * The scope of a token. Scope values are API keys; order and repetition have no meaning.
 *
 * @param asked the `scope` parameter; undefined or empty requests all APIs of the credential (RFC 6749 3.3)
 * @param granted the credential's APIs, sorted
 * @throws ScopeRefused for a syntax error, a value that is not granted, or a credential without APIs
 */
export function grantScope(asked: string | undefined, granted: readonly string[]): readonly string[] {
  if (granted.length === 0) throw new ScopeRefused();
  if (asked === undefined || asked === '') return granted;
  if (!GRAMMAR.test(asked)) throw new ScopeRefused();
  const values = new Set(asked.split(' '));
  const scope = granted.filter((key) => values.has(key));
  if (scope.length !== values.size) throw new ScopeRefused();
  return scope;
}

/** The remaining scope of a token: the APIs with which it was issued and which its credential still has. */
export function effectiveScope(issued: readonly string[], granted: readonly string[]): readonly string[] {
  return issued.every((key) => granted.includes(key)) ? issued : issued.filter((key) => granted.includes(key));
}
