import { describe, expect, it } from '@jest/globals';
import { databaseUsers } from '../../tools/local-stores/mongodb-users.ts';
import { RECORDS, migrations } from '#migrations';
import type { Layout } from '#migrations';

/** What every migration together makes; test/integration/migrations.spec.ts compares it with the code. */
async function collections(): Promise<string[]> {
  const made = new Set([RECORDS]);
  const createLayout = (layout: Layout): Promise<void> => {
    for (const name of Object.keys(layout)) made.add(name);
    return Promise.resolve();
  };
  for (const migration of migrations) await migration.run({ createLayout });
  return [...made].sort();
}

describe('the layout of the database', () => {
  it('has migrations numbered 1, 2, 3, …, each with a unique name', () => {
    expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_migration, at) => at + 1));
    expect(new Set(migrations.map(({ name }) => name)).size).toBe(migrations.length);
  });

  it('matches the role of the service, collection by collection', async () => {
    const passwords = new Proxy({}, { get: (_target, name) => name });
    const service = databaseUsers('latchkey', passwords).roles.find(({ role }) => role === 'latchkeyService');
    const named = (service?.privileges ?? []).map(({ resource }) => resource.collection).filter((name) => name !== '');
    expect(named.sort()).toEqual(await collections());
  });
});
