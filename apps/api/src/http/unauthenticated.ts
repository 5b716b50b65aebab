import { DomainError } from '#kernel';

/** The one answer to a sign-in that is missing or failed: it does not tell which part was wrong. */
export function unauthenticated(): DomainError {
  return new DomainError(
    'unauthenticated',
    'Sign in with HTTP Basic, or with a bearer token of your OpenID Connect provider.',
  );
}
