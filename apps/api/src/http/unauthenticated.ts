import { DomainError } from '#kernel';

/** The request has no readable sign-in. */
export function unauthenticated(): DomainError {
  return new DomainError(
    'unauthenticated',
    'Sign in with HTTP Basic, a bearer token of your OpenID Connect provider, or a session (POST /v1/session).',
  );
}

/** The session of the cookie has expired or never existed. */
export function noLiveSession(): DomainError {
  return new DomainError('unauthenticated', 'Your session has expired. Sign in again.');
}

/** User names and passwords never contain a control character, so this is a copying mistake. */
export function unprintablePassword(): DomainError {
  return new DomainError(
    'unauthenticated',
    'The user name or password contains a control character. Look for a line break at its end.',
  );
}

/** The same answer for known and unknown names. */
export function wrongPassword(): DomainError {
  return new DomainError('unauthenticated', 'The user name or password is wrong.');
}

/** Does not give the reason, which is recorded with the refusal. */
export function badBearerToken(): DomainError {
  return new DomainError(
    'unauthenticated',
    'The bearer token is not valid. Get a new one from your OpenID Connect provider.',
  );
}

/** Does not say what is wrong with it: the log of refusals does. */
export function badApiKey(): DomainError {
  return new DomainError(
    'unauthenticated',
    'The API key is not accepted from here. Check it, its end and its Allowed IPs.',
  );
}

/** Guesses from an unknown address could not be counted. */
export function unknownAddress(): DomainError {
  return new DomainError(
    'unauthenticated',
    'The proxy in front of this service sends no readable client address, so nobody can sign in with a password. ' +
      'Tell its operator.',
  );
}
