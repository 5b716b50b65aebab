import { pageState, updatePage } from './page-state.ts';
import type { Person } from './page-state.ts';
import { basePath, send, textOf } from './service.ts';

/** Finds out who is signed in. A service that cannot be reached changes nothing: the cookie may still be good. */
export async function loadPerson(): Promise<void> {
  const { status, body } = await send('GET', '/v1/session');
  if (status === 200) updatePage({ person: personOf(body) });
  else if (status === 401 || pageState().person === undefined) updatePage({ person: null });
}

/** Ends the session and leaves nothing of it on the page. @returns false when the service did not end it */
export async function signOut(): Promise<boolean> {
  const { status } = await send('DELETE', '/v1/session');
  if (status !== 204 && status !== 401) return false;
  location.reload();
  return true;
}

/** Where one signs in, to come back to the call that is open now. */
export function signInAddress(): string {
  const here = location.pathname.slice(basePath().length) + location.hash;
  return `${basePath()}/sign-in?returnTo=${encodeURIComponent(here)}`;
}

function personOf(body: unknown): Person {
  const { user, method } = (body ?? {}) as { user?: { roles?: unknown }; method?: unknown };
  return {
    username: textOf(user, 'username') ?? '',
    roles: Array.isArray(user?.roles) ? user.roles.map(String) : [],
    method: String(method),
  };
}
