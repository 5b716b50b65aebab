import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApiBody, CredentialBody } from '../support/api.ts';
import { anApi } from '../support/builders.ts';
import { seedOperations } from '../support/many-operations.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';

const OPERATIONS = 1_000;
/**
 * What another instance needs to find that nobody works on the removal any more, and to finish it on a slow machine.
 */
const CONTINUED_WITHIN_MS = 240_000;

interface Removing extends ApiBody {
  readonly removal: { readonly credentialsTotal: number; readonly credentialsLeft: number } | null;
}

describe('an API removal whose instance is killed midway', () => {
  let world: OAuthWorld;

  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());

  it('is finished by another instance: it edits each credential once, and is in force everywhere when the API is gone', async () => {
    const [leaving, kept] = [(await anApi(world.api)).key, world.keys[0]];
    const seeded = await seedOperations(world.service.database, OPERATIONS, 2, [leaving, kept]);
    // the last one that the removal comes to is not known: so a token of each of many
    const clients = seeded.filter((_client, index) => index % 100 === 0) as unknown as CredentialBody[];
    const tokens = await Promise.all(clients.map((client) => world.tokenOf(client)));
    const [first, second] = [world.services[0]!, world.apis[1]!];
    const path = `/v1/apis/${leaving}`;

    const removal = world.api.delete(`${path}?force=true`).catch(() => undefined);
    await eventually(async () => {
      const { body } = await second.get<Removing>(path);
      return body.removal !== null && body.removal.credentialsLeft < body.removal.credentialsTotal;
    }, 60_000);
    await first.kill('SIGKILL');
    await removal;
    const { body } = await second.get<Removing>(path);
    expect(body.removal?.credentialsTotal).toBe(2 * OPERATIONS);
    expect(body.removal?.credentialsLeft).toBeGreaterThan(0);
    expect((await second.patch(path, { name: 'Other' })).status).toBe(409);

    await eventually(async () => (await second.get(path)).status === 404, CONTINUED_WITHIN_MS);
    const scopes = await Promise.all(
      tokens.map(async (token) => (await second.introspect(world.resourceServer, token, '127.0.0.1')).body['scope']),
    );
    expect(new Set(scopes)).toEqual(new Set([kept]));
    const { database } = world.service;
    expect(await (await database.collection('credentials')).countDocuments({ apis: leaving })).toBe(0);
    const events = await database.collection('events');
    expect(await events.countDocuments({ type: 'credential.updated.v2' })).toBe(2 * OPERATIONS);
    expect(await events.countDocuments({ type: 'api.deleted.v1', 'subject.id': leaving })).toBe(1);
    expect((await second.get('/v1/events/verify')).body['whole']).toBe(true);
  }, 420_000);
});
