import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf } from '../support/builders.ts';
import { forgeJob } from '../support/queues.ts';
import { eventually, startServices } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { Traffic } from '../support/traffic.ts';

const LOAD_MS = 8_000;
const ROUNDS = 6;
const EXPIRED = 5_000;

function tally(statuses: readonly number[]): Record<number, number> {
  return Object.fromEntries(
    [...Map.groupBy(statuses, (status) => status)].map(([status, same]) => [status, same.length]),
  );
}

describe('two instances with concurrent requests', () => {
  let services: Service[];
  let both: Api[];
  beforeAll(async () => {
    services = await startServices(2);
    both = services.map(({ url }) => new Api(url));
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await services[0]!.database.drop();
  });

  it('leave store, log and outbox in agreement', async () => {
    const { database } = services[0]!;
    let turn = 0;
    const url = (): string => services[(turn += 1) % 2]!.url;
    const traffic = await new Traffic({ url, callers: 12, operations: 3, borne: [503] }).prepare();
    traffic.start();
    await pause(LOAD_MS); // how long they race
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
    await settled(database);
    expect(await disagreements(database)).toEqual([]);
  });

  it('perform a change once if both get it, and leave no active token of a deleted credential', async () => {
    const { key } = await anApi(both[0]!);
    const operation = await anOperation(both[0]!);
    const server = await aResourceServer(both[0]!, [key]);
    for (let round = 0; round < ROUNDS; round += 1) {
      const credential = await aCredential(both[0]!, operation.id, { apis: [key] });
      const path = pathOf(credential);
      const edits = both.flatMap((api) =>
        [1, 2].map((n) => api.patch(path, { description: `${n}` }, { ifMatch: '"v1"' })),
      );
      const issues = both.flatMap((api) => [1, 2, 3].map(() => api.token(credential)));
      const deletions = both.flatMap((api) => [1, 2].map(() => api.delete(path)));
      const answers = await Promise.all([Promise.all(edits), Promise.all(issues), Promise.all(deletions)]);
      const [edited, issued, deleted] = answers.map((list) => tally(list.map(({ status }) => status)));
      expect(deleted).toEqual({ 204: 1, 404: 3 });
      expect(edited![200] ?? 0).toBeLessThanOrEqual(1);
      expect(Object.keys(edited!).filter((status) => !['200', '404', '412'].includes(status))).toEqual([]);
      expect(Object.keys(issued!).filter((status) => !['200', '401'].includes(status))).toEqual([]);
      for (const { body } of answers[1].filter(({ status }) => status === 200)) {
        for (const api of both) {
          const { text } = await api.introspect(server, body['access_token'] as string);
          expect(text).toBe('{"active":false}');
        }
      }
    }
    await settled(services[0]!.database);
    expect(await disagreements(services[0]!.database)).toEqual([]);
  });

  it('prune at the same time, and count each token once', async () => {
    const { database } = services[0]!;
    const tokens = await database.collection<{ _id: string }>('tokens');
    const old = new Date(Date.now() - 3_600_000);
    const expired = Array.from({ length: EXPIRED }, () => {
      const id = randomBytes(12).toString('base64url');
      const rest = { clientId: id, slot: 0, scope: [], issuedAt: old, expiresAt: old, issuedTo: null };
      return { _id: id, id, credentialId: id, operationId: 'op_gone', ...rest };
    });
    await tokens.insertMany(expired);
    // each worker takes one job at a time: both are at it
    await Promise.all([1, 2, 3, 4].map(() => forgeJob(database, 'maintenance', { name: 'prune-tokens' })));
    await eventually(async () => (await tokens.countDocuments({ operationId: 'op_gone' })) === 0);
    const pruned = await both[0]!.events({ type: 'tokens.pruned.v1' });
    expect(pruned.reduce((sum, { data }) => sum + Number(data['count']), 0)).toBe(EXPIRED);
    expect(await disagreements(database)).toEqual([]);
  });
});
