import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { without, withoutIntegrity } from './integrity.ts';
import type { Lock } from './platform-entries.ts';

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as Lock;
const project = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>;
};

describe('package-lock.json', () => {
  it('has a checksum for every package, including other platforms', () => {
    expect(withoutIntegrity(lock)).toEqual([]);
    const weak = Object.entries(lock.packages).filter(
      ([, { integrity }]) => integrity?.startsWith('sha512-') === false,
    );
    expect(weak).toEqual([]);
  });

  it('names no registry, so that any can serve it', () => {
    expect(
      Object.values(lock.packages).filter(({ resolved, link }) => resolved !== undefined && link !== true),
    ).toEqual([]);
  });
});

describe('package.json', () => {
  it('has only run-time dependencies that the service itself imports', () => {
    for (const tool of ['pg', 'mongodb-memory-server-core', 'bson'])
      expect(project.dependencies).not.toHaveProperty(tool);
  });
});

describe('an entry without a checksum', () => {
  it('is found and removed, so that npm adds it back with one', () => {
    const faulty: Lock = {
      packages: {
        '': { version: '0.1.0' },
        'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' },
        'node_modules/b': { version: '1.0.0' },
        'packages/c': { link: true },
      },
    };
    expect(withoutIntegrity(faulty)).toEqual(['node_modules/b']);
    expect(Object.keys(without(faulty, ['node_modules/b']).packages)).toEqual(['', 'node_modules/a', 'packages/c']);
  });
});
