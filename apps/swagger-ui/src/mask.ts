/** What stands for a secret on the page. */
export const MASK = '••••••••';

/** Tokens, secrets and keys of Latchkey, wherever they stand. A client id is no secret. */
const OWN_SECRET = /\blk_(?:ak|at|cs|rs|ss)_[0-9A-Za-z_]+/g;
const SECRET_HEADERS = ['authorization', 'x-forward-auth-authorization', 'cookie'];
const SECRET_MEMBER = /password|secret$|^token$|^text$/i;

/** The headers of a request with what signs in masked: the scheme stays. */
export function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      SECRET_HEADERS.includes(name.toLowerCase()) ? value.replace(/^(\S+)\s.*$/s, `$1 ${MASK}`) : maskText(value),
    ]),
  );
}

/** The body of a request with its secrets masked, whether JSON or a form. */
export function maskBody(body: string): string {
  try {
    return JSON.stringify(maskMembers(JSON.parse(body)), null, 2);
  } catch {
    // unfinished JSON is masked as text
    return body.includes('=') ? maskForm(body) : maskText(body);
  }
}

function maskMembers(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(maskMembers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'string' && member !== '' && SECRET_MEMBER.test(name) ? MASK : maskMembers(member),
    ]),
  );
}

function maskForm(body: string): string {
  return maskText(
    body
      .split('&')
      .map((pair) => {
        const [name = '', value = ''] = pair.split('=', 2);
        return value !== '' && SECRET_MEMBER.test(name) ? `${name}=${MASK}` : pair;
      })
      .join('&'),
  );
}

function maskText(text: string): string {
  return text.replaceAll(OWN_SECRET, (secret) => `${secret.slice(0, 'lk_at_'.length)}${MASK}`);
}
