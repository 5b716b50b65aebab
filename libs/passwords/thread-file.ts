import { extname } from 'node:path';

/** The URL of a thread's code: the source in tests; a file beside the bundle in the service. */
export function threadFile(name: string): string {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url).href;
}
