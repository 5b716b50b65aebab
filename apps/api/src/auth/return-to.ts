/** Longer ones are no paths of ours. */
const MAX_LENGTH = 512;
const BASE = 'http://service.invalid';

/**
 * Whether the text is a path of this service, with or without a query, and nothing that a browser would take for
 * another host: `//host`, `/\host`, and either of them with a tab or line break inside, which browsers drop.
 */
export function isOwnPath(text: string): boolean {
  if (text.length > MAX_LENGTH || !/^\/(?!\/)[\x21-\x7e]*$/.test(text) || text.includes('\\')) return false;
  return URL.canParse(text, BASE) && new URL(text, BASE).origin === BASE;
}
