import type { Lock } from './platform-entries.ts';

/** The packages of a lock file that npm would install without comparing them with a checksum; not the project's own. */
export function withoutIntegrity(lock: Lock): string[] {
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path.includes('node_modules/') && entry.link !== true && entry.integrity === undefined)
    .map(([path]) => path);
}

/** The lock without these packages: npm puts them back, with their checksums. */
export function without(lock: Lock, paths: readonly string[]): Lock {
  const packages = Object.entries(lock.packages).filter(([path]) => !paths.includes(path));
  return { ...lock, packages: Object.fromEntries(packages) };
}
