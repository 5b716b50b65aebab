import { randomBytes } from 'node:crypto';

/** The platform-admin that the service makes if there is no user yet. */
export interface FirstAdmin {
  readonly username: string;
  readonly password: string;
}

/**
 * The first platform-admin's name and password: as set, or a random password of 144 bits.
 * @param env where LATCHKEY_ADMIN_USERNAME and LATCHKEY_ADMIN_PASSWORD may be set
 */
export function chooseFirstAdmin(env: NodeJS.ProcessEnv): FirstAdmin {
  const { LATCHKEY_ADMIN_USERNAME: username, LATCHKEY_ADMIN_PASSWORD: password } = env;
  return {
    username: username === undefined || username === '' ? 'admin' : username,
    password: password === undefined || password === '' ? randomBytes(18).toString('base64url') : password,
  };
}

/**
 * What to show for a line that the service logged.
 * @param line one line of its standard output
 * @param admin what it was given
 * @returns a notice, or null: most lines call for none
 */
export function noticeFor(line: string, admin: FirstAdmin): string | null {
  if (!line.startsWith('{')) return null;
  let entry: { msg?: unknown };
  try {
    entry = JSON.parse(line) as typeof entry;
  } catch {
    return null;
  }
  if (entry.msg === 'first platform-admin created') {
    const rows = ['The first platform-admin. The password is shown this once.', ''];
    return boxed([...rows, `user name  ${admin.username}`, `password   ${admin.password}`]);
  }
  return null;
}

/** Where the service listens, if this line of its log says so; else null. */
export function listeningUrl(line: string): string | null {
  if (!line.startsWith('{') || !line.includes('"listening"')) return null;
  const { msg, url } = JSON.parse(line) as { msg?: unknown; url?: unknown };
  return msg === 'listening' && typeof url === 'string' ? url.replace(/\/$/, '') : null;
}

/** What to show when it can serve. @param wasMade whether the first admin's password was shown just now */
export function readyNotice(url: string, wasMade: boolean): string {
  const lost = wasMade ? [] : ['The first admin’s password was shown at the first start. Lost? npm run admin:reset'];
  return boxed([`Latchkey is ready: ${url}/docs`, ...lost, 'Ctrl-C stops it; the data stay.']);
}

function boxed(rows: readonly string[]): string {
  const width = Math.max(...rows.map((row) => row.length));
  const bar = '─'.repeat(width + 2);
  return [`┌${bar}┐`, ...rows.map((row) => `│ ${row.padEnd(width)} │`), `└${bar}┘`].join('\n');
}
