import { DomainError } from '#kernel';

/** No sign-in was sent, or none that can be read. */
export function unauthenticated(): DomainError {
  return new DomainError(
    'unauthenticated',
    'Sign in with HTTP Basic, with a bearer token of your OpenID Connect provider, or for a session by POST /v1/session.',
  );
}

/** The session that the cookie stood for is over, or never was. */
export function noLiveSession(): DomainError {
  return new DomainError('unauthenticated', 'Your session is over. Sign in again.');
}

/** No user name and no password may have one, so it is a mistake in copying. */
export function unprintablePassword(): DomainError {
  return new DomainError(
    'unauthenticated',
    'The user name or password contains a control character. Look for a line break at its end.',
  );
}

/** Says the same of a name that there is and of one that there is not. */
export function wrongPassword(): DomainError {
  return new DomainError('unauthenticated', 'The user name or password is wrong.');
}

/** Does not say what is wrong with it: the log of refusals does. */
export function badBearerToken(): DomainError {
  return new DomainError(
    'unauthenticated',
    'The bearer token is not accepted. Get a new one from your OpenID Connect provider.',
  );
}

/** Guesses from an unknown address could not be counted. */
export function unknownAddress(): DomainError {
  return new DomainError(
    'unauthenticated',
    'The proxy in front of this service sends no address that can be read, so nobody can sign in by password. Tell its operator.',
  );
}
