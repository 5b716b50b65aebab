import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Api, Json, SecretBody } from '../support/api.ts';
import { Projector } from '../support/event-log/projector.ts';
import type { ExportedEvent } from '../support/event-log/projector.ts';
import { PatientApi } from '../support/patient-api.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const LANES = 6;
const STEPS = 40;
const TIME_LIMIT_MS = 600_000;

type Body = Record<string, Json> & { readonly id: string };

/** One step of a history: what is done, to which thing of those that are there, and what is set. */
interface Step {
  readonly what: number;
  readonly which: number;
  readonly value: number;
}

const history = fc.array(fc.record({ what: fc.nat(20), which: fc.nat(50), value: fc.nat(1_000) }), {
  minLength: STEPS,
  maxLength: STEPS,
});

describe('the event log', () => {
  let service: Service;
  let api: Api;

  beforeAll(async () => {
    service = await startService();
    api = new PatientApi(service.url);
  });
  afterAll(() => service.discard());

  const pick = <T>(items: readonly T[], which: number): T | undefined => items[which % Math.max(items.length, 1)];
  const some = (items: readonly string[], value: number): string[] =>
    items.filter((_, index) => (value >> (index % 10)) % 2 === 1).slice(0, 5);

  /** What the lane may do, one of it a step. A step that is refused is as good: it has no event. */
  async function act({ what, which, value }: Step, lane: number): Promise<void> {
    const name = `${lane}-${value}`;
    // what another lane deleted this moment has no list
    const listed = async (path: string): Promise<Body[]> =>
      (await api.get<{ items?: Body[] }>(`${path}?limit=100`)).body.items ?? [];
    const operations = await listed('/v1/operations');
    const operation = pick(operations, which);
    const keys = (await listed('/v1/apis')).map(idOf);
    const path = `/v1/operations/${operation?.id ?? 'none'}`;
    const credentials = operation === undefined ? [] : await listed(`${path}/credentials`);
    const credential = `${path}/credentials/${pick(credentials, value)?.id ?? 'none'}`;
    const server = `/v1/resource-servers/${pick(await listed('/v1/resource-servers'), which)?.id ?? 'none'}`;
    const people = (await listed('/v1/users')).filter(({ roles }) => !(roles as string[]).includes('platform-admin'));
    const user = `/v1/users/${pick(people, which)?.id ?? 'none'}`;
    const rotation = {
      overlapSeconds: value % 3 === 0 ? 0 : 600,
      endOldest: value % 2 === 0,
      compromised: value % 7 === 0,
    };
    const endSecret = async (holder: string): Promise<unknown> => {
      const { items = [] } = (await api.get<{ items?: SecretBody[] }>(`${holder}/secrets`)).body;
      return api.delete(`${holder}/secrets/${pick(items, value)?.id ?? 'none'}`);
    };
    const steps: readonly (() => Promise<unknown>)[] = [
      () => api.post('/v1/operations', { name, requireAllowedIps: value % 4 === 0 }),
      () =>
        api.patch(path, {
          name: `${name}x`,
          requireAllowedIps: value % 2 === 0,
          status: which % 3 === 0 ? 'suspended' : 'active',
          policy: { maxSecretAgeDays: which % 4 === 0 ? null : which, requireOwner: value % 5 === 0 },
          ...(value % 3 === 0 ? { enforce: 'new' } : {}),
        }),
      () => (value % 5 === 0 ? api.delete(path) : api.get(path)),
      () => api.put(`${path}/apis`, value % 3 === 0 ? { mode: 'all' } : { mode: 'listed', apis: some(keys, value) }),
      () => api.post('/v1/apis', { key: `api-${value % 12}`, name }),
      () => api.patch(`/v1/apis/${pick(keys, which) ?? 'none'}`, { name, description: `${value % 3}` }),
      () => (value % 4 === 0 ? api.delete(`/v1/apis/${pick(keys, which) ?? 'none'}?force=true`) : api.get('/v1/apis')),
      () => api.post(`${path}/credentials`, { name, apis: some(keys, value), allowedIps: ['192.0.2.1'] }),
      () => api.post(`${path}/credentials`, { name: `${name}y`, description: 'z', tokenTtlSeconds: 60 + value }),
      () =>
        api.patch(credential, {
          name: `${name}z`,
          owner: `${value}`,
          labels: { [`k${which}`]: name },
          status: value % 2 === 0 ? 'active' : 'disabled',
        }),
      () => api.patch(credential, { expiresAt: value % 2 === 0 ? null : '2099-01-01T00:00:00Z', allowedIps: [] }),
      () => api.put(`${credential}/apis`, { apis: some(keys, value) }),
      () => api.patch(`${credential}/apis`, { add: some(keys, which), remove: [] }),
      () => api.post(`${credential}/rotate-secret`, rotation),
      () => endSecret(credential),
      () => (value % 3 === 0 ? api.delete(credential) : api.delete(`${credential}/apis`)),
      () => api.post('/v1/resource-servers', { name, apis: some(keys, value) }),
      () => api.patch(server, { name: `${name}x`, apis: some(keys, which), requireClientIp: value % 2 === 0 }),
      () => (value % 2 === 0 ? api.post(`${server}/rotate-secret`, rotation) : endSecret(server)),
      () =>
        api.post('/v1/users', {
          username: `u${lane}${value}`,
          password: `pass-word-${name}-${which}`,
          roles: ['auditor'],
        }),
      () =>
        value % 4 === 0
          ? api.delete(user)
          : api.patch(user, {
              roles: value % 2 === 0 ? ['auditor'] : ['operation-admin'],
              operationIds: [`op_${value}`],
            }),
    ];
    await steps[what]!();
  }

  async function exported(): Promise<ExportedEvent[]> {
    const { text } = await api.get('/v1/events/export?format=ndjson');
    const lines = text.split('\n').filter((line) => line !== '');
    const events = lines.map((line) => JSON.parse(line) as ExportedEvent).filter(({ seq }) => typeof seq === 'number');
    // each thing's events are in one chain
    return events.sort((a, b) => a.seq - b.seq);
  }

  it(
    'reproduces the state of every operation, credential, API, resource server and user after a random history',
    async () => {
      const seed = Number(process.env['LATCHKEY_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
      const lanes = fc.sample(history, { numRuns: LANES, seed });
      await Promise.all(
        lanes.map(async (steps, lane) => {
          for (const step of steps) await act(step, lane);
        }),
      );
      const projector = new Projector();
      for (const event of await exported()) projector.add(event);
      const now = new Date().toISOString();
      const operations = await api.all<Body>('/v1/operations');
      const credentials: Body[] = [];
      for (const { id } of operations) credentials.push(...(await api.all<Body>(`/v1/operations/${id}/credentials`)));
      const stored: readonly (readonly [string, readonly Body[], string])[] = [
        ['operation', operations, '/v1/operations/'],
        ['credential', credentials, ''],
        ['api', await api.all<Body>('/v1/apis'), '/v1/apis/'],
        ['resource-server', await api.all<Body>('/v1/resource-servers'), '/v1/resource-servers/'],
        ['user', await api.all<Body>('/v1/users'), '/v1/users/'],
      ];
      for (const [kind, things, at] of stored) {
        const told = projector.all(kind, now);
        expect([seed, kind, [...told.keys()].sort()]).toEqual([seed, kind, things.map(idOf).sort()]);
        expect([kind, things.length > 0]).toEqual([kind, true]);
        for (const thing of things) {
          const id = idOf(thing);
          const one = at === '' ? `/v1/operations/${thing['operationId'] as string}/credentials/${id}` : `${at}${id}`;
          const { body, etag } = await api.get<Body>(one);
          // events name the provider's subject, which the API does not show
          const { oidcSubject: _subject, ...shown }: Record<string, unknown> = told.get(id) ?? {};
          expect({ seed, id, ...shown }).toEqual({
            seed,
            id,
            ...tellable(body),
            version: Number(etag.slice(2, -1)),
          });
        }
      }
    },
    TIME_LIMIT_MS,
  );
});

/** An API has its key for an id. */
function idOf({ id, key }: Partial<Body>): string {
  return (key ?? id) as string;
}

/** The part of an answer that changes tell: not limits, not the progress of a removal, not the time of the last use. */
function tellable(body: Body): Record<string, Json> {
  const {
    id: _id,
    key: _key,
    credentialLimit: _limit,
    removal: _underWay,
    unrestrictedIps: _derived,
    liveTokens: _live,
    lastUsedAt: _used,
    lastSignInAt: _signedIn,
    secrets,
    ...told
  } = body;
  if (secrets === undefined) return told;
  const shown = (secrets as Record<string, Json>[]).map(({ lastUsedAt: _lastUsed, ...secret }) => secret);
  return { ...told, secrets: shown };
}
