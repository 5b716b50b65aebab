import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The collections of the service: what its repositories name. */
function collectionsInCode(): string[] {
  const files = readdirSync(new URL('libs/', root), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  const names = sources.flatMap((file) => [
    ...read(`libs/${file}`).matchAll(/(?:\.model\(\s*|const (?:NAME|RECORDS) = )'([a-z_]+)'/g),
  ]);
  return [...new Set(names.map(([, name]) => name ?? ''))].sort();
}

describe('the database user of docker-compose.yml', () => {
  const script = read('tools/docker/mongo-init.js');
  const list = (name: string): string[] => {
    const [, items = ''] = new RegExp(`const ${name} = \\[(.*?)\\]`, 's').exec(script) ?? [];
    return [...items.matchAll(/'(\w+)'/g)].map(([, item]) => item ?? '').sort();
  };

  it('may use every collection of the service, and no other', () => {
    expect(collectionsInCode()).toContain('events');
    expect([...list('collections'), 'events'].sort()).toEqual(collectionsInCode());
  });

  it('may add to the event log, and neither change nor delete what is in it', () => {
    expect(script).toContain("on('events', appendOnly)");
    expect(list('appendOnly')).toEqual([
      'collStats',
      'createCollection',
      'createIndex',
      'find',
      'insert',
      'listIndexes',
    ]);
  });
});

describe('docker-compose.yml', () => {
  it('mounts files that exist', () => {
    const mounts = [...read('docker-compose.yml').matchAll(/- (\.\/[^:]+):/g)].map(([, path]) => path ?? '');
    expect(mounts).toHaveLength(2);
    for (const path of mounts) expect(read(path)).not.toBe('');
  });
});
