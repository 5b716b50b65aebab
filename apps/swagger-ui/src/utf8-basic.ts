import type { Action, Immutable } from './system.ts';

/** What was typed into one form of the *Authorize* dialog; an empty text after *Logout*. */
interface TypedSignIn {
  readonly value?: { readonly username?: string; readonly password?: string };
  readonly schema?: Immutable;
}
type Authorize = (typed: Record<string, TypedSignIn | ''>) => unknown;

/**
 * Has Swagger UI send name and password of HTTP Basic as UTF-8, as our challenge asks (RFC 7617 2.1). Its own `btoa`
 * knows Latin-1 only, so it gets each UTF-8 byte as one character.
 */
export function utf8Basic(original: Authorize): Action {
  return (typed: Record<string, TypedSignIn | ''>) => {
    const encoded = Object.entries(typed).map(([name, signIn]) => {
      if (signIn === '' || signIn.schema?.get('scheme') !== 'basic') return [name, signIn];
      const { username, password } = signIn.value ?? {};
      return [name, { ...signIn, value: { username: bytesOf(username), password: bytesOf(password) } }];
    });
    return original(Object.fromEntries(encoded) as Parameters<Authorize>[0]);
  };
}

function bytesOf(text = ''): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
