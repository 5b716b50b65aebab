/** What a person typed into one form of the Authorize dialog; an empty text after Logout. */
interface TypedSignIn {
  readonly value?: { readonly username?: string; readonly password?: string };
  readonly schema?: { readonly get: (name: string) => unknown };
}
type Authorize = (typed: Record<string, TypedSignIn | ''>) => unknown;

/** A Swagger UI plugin, as far as it is used here. */
export interface AuthorizePlugin {
  readonly statePlugins: {
    readonly auth: { readonly wrapActions: { readonly authorize: (original: Authorize) => Authorize } };
  };
}

/**
 * Has Swagger UI send name and password of HTTP Basic as UTF-8, as our challenge asks (RFC 7617 2.1). Its own `btoa`
 * knows Latin-1 only, so it gets each UTF-8 byte as one character. Sent to the browser as source text: it uses nothing
 * from around it.
 */
export function utf8Basic(): AuthorizePlugin {
  const bytesOf = (text = ''): string => String.fromCharCode(...new TextEncoder().encode(text));
  return {
    statePlugins: {
      auth: {
        wrapActions: {
          authorize: (original) => (typed) => {
            const encoded = Object.entries(typed).map(([name, signIn]) => {
              if (signIn === '' || signIn.schema?.get('scheme') !== 'basic') return [name, signIn];
              const { username, password } = signIn.value ?? {};
              return [name, { ...signIn, value: { username: bytesOf(username), password: bytesOf(password) } }];
            });
            return original(Object.fromEntries(encoded) as Parameters<Authorize>[0]);
          },
        },
      },
    },
  };
}
