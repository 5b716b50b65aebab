import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CredentialBody, EventBody } from '../support/api.ts';
import { DAY_MS, makeOlder, recordUseSince } from '../support/attention.ts';
import type { AttentionBody } from '../support/attention.ts';
import { pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';

interface Described {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly description?: string }[];
}
type Parameters = Readonly<Record<string, string>>;

interface Usage {
  readonly addresses: readonly { readonly address: string; readonly count: number; readonly lastSeenAt: string }[];
  readonly secrets: readonly { readonly secretId: string; readonly count: number; readonly live: boolean }[];
}
interface Items<T> {
  readonly items: readonly T[];
}

function textsOf({ summary = '', description = '', parameters = [] }: Described): string {
  return [summary, description, ...parameters.map((parameter) => parameter.description ?? '')].join('\n');
}

function filled(path: string, parameters: Parameters): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => parameters[name] ?? '');
}

/**
 * Each question is answered by the route whose description in the OpenAPI document answers it, with at most one call
 * before, which finds the id of the credential.
 */
describe('questions an administrator asks', () => {
  const database = new TestDatabase();
  let world: OAuthWorld;
  let client: CredentialBody;
  let paths: Record<string, Record<string, Described>>;

  beforeAll(async () => {
    await recordUseSince(database, 100);
    world = await OAuthWorld.start(1, { database });
    paths = (await world.api.get<{ paths: typeof paths }>('/openapi.json')).body.paths;
    client = await world.client({
      name: 'Nightly invoices',
      allowedIps: ['127.0.0.1', '192.0.2.0/24'],
      expiresAt: new Date(Date.now() + 10 * DAY_MS).toISOString(),
    });
    await world.api.post(`${pathOf(client)}/rotate-secret`, { overlapSeconds: 86_400 });
    const token = await world.tokenOf(client, world.keys[0]); // by the old secret
    expect(await world.isActive(token, { clientIp: '192.0.2.7' })).toBe(true);
    await makeOlder(database, client, 100);
  });
  afterAll(async () => {
    await world.stop();
  });

  /** The path of the only route whose description has these words. */
  function routeThatSays(method: string, words: string): string {
    const found = Object.entries(paths).flatMap(([path, methods]) => {
      const route = methods[method];
      return route !== undefined && textsOf(route).toLowerCase().includes(words.toLowerCase()) ? [path] : [];
    });
    expect([words, found]).toEqual([words, [expect.any(String)]]);
    return found[0] ?? '';
  }

  /** One call: the credential by a part of its name. */
  async function findCredential(): Promise<CredentialBody> {
    const path = routeThatSays('get', 'Search credentials of all operations');
    const { items } = (await world.api.get<Items<CredentialBody>>(`${path}?name=nightly`)).body;
    expect(items).toHaveLength(1);
    return items[0]!;
  }

  async function ask<T>(words: string, query = '', parameters: Parameters = {}): Promise<T> {
    const path = filled(routeThatSays('get', words), parameters);
    const { status, body } = await world.api.get<T>(`${path}${query}`);
    expect(status).toBe(200);
    return body;
  }

  const named = ({ operationId, id }: CredentialBody): Parameters => ({ operationId, credentialId: id });

  it('who calls from where today', async () => {
    const parameters = named(await findCredential());
    await eventually(async () => {
      const { addresses } = await ask<Usage>('who calls from where', '', parameters);
      return addresses.length === 2 && addresses.every(({ address }) => ['127.0.0.1', '192.0.2.7'].includes(address));
    });
  });

  it('whether the old secret is still used', async () => {
    const parameters = named(await findCredential());
    const [oldId] = client.secrets.map(({ id }) => id);
    await eventually(async () => {
      const { secrets } = await ask<Usage>('whether an old secret is still used', '', parameters);
      return secrets.some(({ secretId, count, live }) => secretId === oldId && count === 1 && live);
    });
  });

  it('what would be refused if a range were removed', async () => {
    const parameters = named(await findCredential());
    const path = routeThatSays('patch', 'Change a credential');
    expect(textsOf(paths[path]!['patch']!)).toContain('what was seen in the last 24 hours and would be refused');
    const dryRun = `${filled(path, parameters)}?dryRun=true`;
    await eventually(async () => {
      const { body } = await world.api.patch<{ affected: Usage }>(dryRun, { allowedIps: ['127.0.0.1'] });
      return body.affected.addresses.length === 1 && body.affected.addresses[0]?.address === '192.0.2.7';
    });
  });

  it('what ends within two weeks', async () => {
    const until = new Date(Date.now() + 14 * DAY_MS).toISOString();
    const { items } = await ask<Items<AttentionBody>>('what ends within two weeks', `?endsBefore=${until}`);
    expect(items.map(({ kind, subject }) => [kind, subject.id]).sort()).toEqual([
      ['credential-expiring', client.id],
      ['rotation-ending-in-use', client.id],
    ]);
  });

  it('which APIs are granted for nothing', async () => {
    await eventually(async () => {
      const { items } = await ask<Items<AttentionBody>>('which APIs are granted for nothing', '?kind=apis-unused');
      return items.length === 1 && JSON.stringify(items[0]?.fix?.body) === JSON.stringify({ remove: [world.keys[1]] });
    });
  });

  it('who could call an API last Tuesday at noon', async () => {
    const api = world.keys[1];
    const suspect = await world.client();
    await makeOlder(database, suspect, 20);
    await backdate(suspect);
    await world.api.patch(`${pathOf(suspect)}/apis`, { remove: [api] });
    const sinceTuesday = (new Date().getUTCDay() + 5) % 7 || 7;
    const tuesday = new Date(Date.now() - sinceTuesday * DAY_MS);
    const at = `${tuesday.toISOString().slice(0, 10)}T12:00:00Z`;
    const could = await ask<Items<CredentialBody>>('those that could at that moment', `?at=${at}`, { apiKey: api });
    expect(could.items.map(({ id }) => id)).toEqual([client.id, suspect.id]);
    const can = await ask<Items<CredentialBody>>('those that could at that moment', '', { apiKey: api });
    expect(can.items.map(({ id }) => id)).toEqual([client.id]);
  });

  /** Lets the past of the credential and its operation have happened twenty days ago. */
  async function backdate({ operationId }: CredentialBody): Promise<void> {
    const then = new Date(Date.now() - 20 * DAY_MS);
    const events = await database.collection<EventBody>('events');
    await events.updateMany({ operationId, type: { $in: ['credential.created.v1', 'operation.created.v1'] } }, {
      $set: { at: then },
    } as never);
    const operations = await database.collection<{ _id: string }>('operations');
    await operations.updateOne({ _id: operationId }, { $set: { createdAt: then } });
  }
});
