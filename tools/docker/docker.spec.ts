import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { databaseUsers } from '../local-stores/mongodb-users.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

describe('the database user of docker-compose.yml', () => {
  const passwords = Object.fromEntries(
    ['mongodb-password', 'mongodb-migration-password', 'mongodb-retention-password'].map((name) => [name, name]),
  );
  const { roles, users } = databaseUsers('latchkey', passwords);
  const actionsOf = (name: string): Record<string, readonly string[]> => {
    const privileges = roles.find(({ role }) => role === name)?.privileges ?? [];
    return Object.fromEntries(privileges.map(({ resource, actions }) => [resource.collection, actions]));
  };

  it('may add to the event log and the checkpoints, but not change or delete documents there', () => {
    const { events, checkpoints } = actionsOf('latchkeyService');
    expect(events).toEqual(['find', 'listIndexes', 'insert']);
    expect(checkpoints).toEqual(events);
  });

  it('cannot create or drop an index or a collection', () => {
    const granted = new Set(Object.values(actionsOf('latchkeyService')).flat());
    expect([...granted].sort()).toEqual(['find', 'insert', 'listCollections', 'listIndexes', 'remove', 'update']);
  });

  it('is one of three, each with its own password and role', () => {
    expect(users).toEqual([
      { user: 'latchkey', pwd: 'mongodb-password', roles: ['latchkeyService'] },
      { user: 'latchkeyMigration', pwd: 'mongodb-migration-password', roles: ['latchkeyMigration'] },
      { user: 'latchkeyRetention', pwd: 'mongodb-retention-password', roles: ['latchkeyRetention'] },
    ]);
  });

  it('has every collection in the commands for Atlas of docs/database-user.md', () => {
    const [, commands = ''] = /```sh\n(atlas[\s\S]*?)```/.exec(read('docs/database-user.md')) ?? [];
    const loops = [...commands.matchAll(/^for c in (.*); do$/gm)].flatMap(([, names = '']) => names.split(' '));
    const single = [...commands.matchAll(/latchkeyService --append --privilege "FIND@latchkey\.(\w+)/g)].map(
      ([, name = '']) => name,
    );
    const collections = Object.keys(actionsOf('latchkeyService')).filter((name) => name !== '');
    expect([...loops, ...single].sort()).toEqual(collections.sort());
  });

  it('matches docs/database-user.md', () => {
    const page = read('docs/database-user.md');
    for (const [collection, actions] of Object.entries(actionsOf('latchkeyService'))) {
      if (collection === '') continue;
      const row = page.split('\n').find((line) => line.includes(`\`${collection}\``) && line.startsWith('|')) ?? '';
      const documented = [...(row.split('|')[2] ?? '').matchAll(/`(\w+)`/g)].map(([, action]) => action);
      expect({ collection, actions: documented.sort() }).toEqual({
        collection,
        actions: actions.filter((action) => action !== 'listIndexes').sort(),
      });
    }
  });
});

describe('docker-compose.yml', () => {
  it('mounts files that exist', () => {
    const mounts = [...read('docker-compose.yml').matchAll(/- (\.\/[^:]+):/g)].map(([, path]) => path ?? '');
    expect(mounts).toHaveLength(3);
    for (const path of mounts) expect(read(path)).not.toBe('');
  });
});
