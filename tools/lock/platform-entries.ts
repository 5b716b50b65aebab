// Packages with native code list a package for each platform among their optional dependencies. npm writes into the
// lock only those that the registry in use could give it, and a registry that mirrors some platforms only has a part
// of them. The lock then lacks the others: `npm ci` refuses it ("Missing: … from lock file"), and on those platforms
// the native code would never be installed. What is missing is known, though: the name, the exact version that its
// parent asks for, and, from the name, the platform. npm leaves entries that are added so in place.

/** An entry of a lock file, as far as it matters here. */
export interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A lock file of npm's, version 2 or 3. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** What came of it. */
export interface Completed {
  readonly lock: Lock;
  /** paths of the entries that were added */
  readonly added: readonly string[];
  /** optional dependencies that are missing and whose platform their name does not tell */
  readonly unknown: readonly string[];
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
/** Systems of packages that are named after what they do. */
const SYSTEM_OF: Readonly<Record<string, string>> = { fsevents: 'darwin' };

/**
 * Adds the entries of optional platform packages that are missing.
 * @param lock a lock file's content; it is not changed
 * @returns the completed lock, its entries in npm's order, and what was done
 */
export function complete(lock: Lock): Completed {
  const packages: Record<string, LockEntry> = { ...lock.packages };
  const added: string[] = [];
  const unknown = new Set<string>();
  for (const [path, parent] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
      const version = range.replace(/^[\^~]/, '');
      const resolved = resolve(packages, path, name);
      if (resolved !== null && (packages[resolved]?.version === version || range !== version)) continue;
      const platform = platformOf(name);
      if (!platform) {
        if (resolved === null) unknown.add(name);
        continue;
      }
      // one of another version is in the way higher up: this one goes below its parent
      const place = resolved === null ? `node_modules/${name}` : `${path}/node_modules/${name}`;
      const { cpu, os } = platform; // the order of members is npm's
      packages[place] = {
        version,
        ...(cpu ? { cpu } : {}),
        ...(parent.dev ? { dev: true } : {}),
        optional: true,
        ...(os ? { os } : {}),
      };
      added.push(place);
    }
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { lock: { ...lock, packages: Object.fromEntries(sorted) }, added, unknown: [...unknown] };
}

/** Where Node.js would find a package from a place in the tree, or null. */
function resolve(packages: Readonly<Record<string, LockEntry>>, from: string, name: string): string | null {
  for (let folder = from; ;) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[path]) return path;
    if (folder === '') return null;
    const up = folder.lastIndexOf('/node_modules/');
    folder = up === -1 ? '' : folder.slice(0, up);
  }
}

/** The platform that a package's name tells of, or null. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu'> | null {
  const words = name.split(/[-/_.]/);
  const system = SYSTEM_OF[name] ?? SYSTEMS.find((known) => words.includes(known));
  const processor =
    PROCESSORS.find((known) => words.includes(known)) ?? (/-(gnu|musl)?eabi(hf)?$/.test(name) ? 'arm' : undefined);
  if (system === undefined && processor === undefined) return null;
  return {
    ...(processor === undefined ? {} : { cpu: [processor] }),
    ...(system === undefined ? {} : { os: [system] }),
  };
}
