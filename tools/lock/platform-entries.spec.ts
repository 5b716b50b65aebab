import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { complete } from './platform-entries.ts';
import type { Lock } from './platform-entries.ts';

const parent = (optionalDependencies: Record<string, string>, more: object = {}): object => ({
  version: '1.0.0',
  optionalDependencies,
  ...more,
});

describe('completing a lock file', () => {
  it('adds missing packages with their platform, and keeps the rest', () => {
    const lock: Lock = {
      packages: {
        '': { version: '0.1.0' },
        'node_modules/z': parent({
          '@z/darwin-arm64': '1.2.3',
          '@z/linux-x64-gnu': '1.2.3',
          '@z/wasm32-wasi': '1.2.3',
        }),
        'node_modules/@z/linux-x64-gnu': { version: '1.2.3', optional: true, os: ['linux'] },
      },
    };
    const { lock: completed, added, unknown } = complete(lock);
    expect(added).toEqual(['node_modules/@z/darwin-arm64', 'node_modules/@z/wasm32-wasi']);
    expect(unknown).toEqual([]);
    expect(completed.packages).toEqual({
      ...lock.packages,
      'node_modules/@z/darwin-arm64': { version: '1.2.3', cpu: ['arm64'], os: ['darwin'], optional: true },
      'node_modules/@z/wasm32-wasi': { version: '1.2.3', cpu: ['wasm32'], optional: true },
    });
    expect(complete(completed).added).toEqual([]);
  });

  it('marks development dependencies', () => {
    const { lock } = complete({ packages: { 'node_modules/z': parent({ 'z-win32-ia32': '^2.0.0' }, { dev: true }) } });
    const entry = { version: '2.0.0', cpu: ['ia32'], os: ['win32'], dev: true, optional: true };
    expect(lock.packages['node_modules/z-win32-ia32']).toEqual(entry);
  });

  it.each([
    ['binding-linux-arm-gnueabihf', { cpu: ['arm'], os: ['linux'] }],
    ['binding-android-armeabi-eabi', { cpu: ['arm'], os: ['android'] }],
    ['fsevents', { os: ['darwin'] }],
  ])('reads the platform of %s', (name, platform) => {
    const { lock } = complete({ packages: { 'node_modules/z': parent({ [name]: '1.0.0' }) } });
    expect(lock.packages[`node_modules/${name}`]).toEqual({ version: '1.0.0', optional: true, ...platform });
  });

  it('nests a second version below the package that requires it', () => {
    const lock: Lock = {
      packages: {
        'node_modules/a': parent({ 'x-darwin-x64': '1.0.0' }),
        'node_modules/b': parent({ 'x-darwin-x64': '2.0.0' }),
        'node_modules/b/node_modules/c': parent({ 'x-darwin-x64': '2.0.0' }),
      },
    };
    expect(complete(lock).added).toEqual(['node_modules/x-darwin-x64', 'node_modules/b/node_modules/x-darwin-x64']);
  });

  it('reports a package that it cannot place', () => {
    expect(complete({ packages: { 'node_modules/z': parent({ mystery: '1.0.0' }) } }).unknown).toEqual(['mystery']);
  });

  it('has nothing to add to the lock file of this project', () => {
    const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as Lock;
    expect(complete(lock)).toMatchObject({ added: [], unknown: [] });
  });
});
