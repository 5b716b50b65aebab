import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, basic } from '../support/api.ts';
import type { Answer, CredentialBody, SignIn } from '../support/api.ts';
import { aUser, pathOf, unique } from '../support/builders.ts';
import { CompanyProvider } from '../support/company-provider.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { probeChange } from '../support/state-probes.ts';
import type { Change, Verdict } from '../support/state-probes.ts';
import { Traffic } from '../support/traffic.ts';

/**
 * Probes that begin after an answer, for each change; a long run:
 * LATCHKEY_STATE_PROBES=10000 npm test -- test/faults/old-state
 */
const PROBES = Number(process.env['LATCHKEY_STATE_PROBES'] ?? 120);
/** A machine that is this slow is still waited for, in milliseconds a probe. */
const MAX_MS_EACH = 100;

describe('two instances under load, asked without a pause while a right is taken away at one of them', () => {
  let world: OAuthWorld;
  let provider: CompanyProvider;
  let traffic: Traffic;

  beforeAll(async () => {
    provider = await CompanyProvider.create();
    await provider.start('http://127.0.0.1:1');
    // refusals here are no guesses, and thousands of them are wanted
    const env = { ...provider.env, GUESS_LIMIT_PER_CLIENT: '1000000', GUESS_LIMIT_PER_ADDRESS: '1000000' };
    world = await OAuthWorld.start(2, { env });
    let turn = 0;
    const url = (): string => world.services[(turn += 1) % 2]!.url;
    traffic = (await new Traffic({ url, callers: 3, operations: 2, borne: [503], pauseMs: 20 }).prepare()).start();
  });
  afterAll(async () => {
    await traffic.stop();
    await world.stop();
    await provider.stop();
  });

  const changed = ({ status, text }: Answer<unknown>): void => {
    if (status >= 300) throw new Error(`the change was refused: ${status} ${text}`);
  };
  const at = (url: string): Api => new Api(url);
  const verdictOf = (status: number, old: number): Verdict =>
    status === 503 || status === 429 ? 'none' : status === old ? 'old' : 'new';

  /** Whether the token may call the API, as a gateway asks. */
  async function forwardAuth(url: string, token: string): Promise<Verdict> {
    const headers = { authorization: `Bearer ${token}`, 'x-forward-auth-authorization': basic(world.resourceServer) };
    const address = { 'x-forward-auth-client-ip': '192.0.2.1' };
    const path = `/oauth2/forward-auth?api=${world.keys[0]}`;
    const { status } = await at(url)
      .as(null)
      .get(path, { headers: { ...headers, ...address } });
    return verdictOf(status, 204);
  }

  /**
   * Whether the client signs in: it asks about its own token. A token request would not do, because its transaction
   * checks the credential again, so it is right even where an instance still remembers the old state.
   */
  async function signsIn(url: string, { clientId, clientSecret }: CredentialBody, token: string): Promise<Verdict> {
    return verdictOf((await at(url).introspect({ username: clientId, password: clientSecret }, token)).status, 200);
  }

  const mine = async (api: Api): Promise<Verdict> => verdictOf((await api.get('/v1/me')).status, 200);

  const aClient = (): Promise<CredentialBody> => world.client({ tokenLimitPolicy: 'evict_oldest' });

  /** Disables the user and enables it again. @param probe as that user */
  const disabling = (userId: string, probe: Change['probe'], enabled?: () => Promise<void>): Change => ({
    probe,
    make: async (url) => changed(await at(url).patch(`/v1/users/${userId}`, { status: 'disabled' })),
    undo: async () => {
      changed(await world.api.patch(`/v1/users/${userId}`, { status: 'active' }));
      await enabled?.();
    },
  });

  const changes: Readonly<Record<string, () => Promise<Change>>> = {
    'an API off the list of the operation': async () => {
      const client = await aClient();
      const token = await world.tokenOf(client);
      const path = `/v1/operations/${client.operationId}/apis`;
      return {
        probe: (url) => forwardAuth(url, token),
        make: async (url) => changed(await at(url).put(path, { mode: 'listed', apis: [world.keys[1]] })),
        undo: async () => {
          changed(await world.api.put(path, { mode: 'all' }));
          changed(await world.api.patch(`${pathOf(client)}/apis`, { add: [world.keys[0]] }));
        },
      };
    },
    'a policy that demands more of what is written': async () => {
      const client = await world.client({ allowedIps: ['192.0.2.0/28'] });
      const path = `/v1/operations/${client.operationId}`;
      const widen = { allowedIps: ['192.0.2.0/24'] };
      const policy = (widestIpv4Prefix: number | null): object => ({ policy: { widestIpv4Prefix }, enforce: 'new' });
      return {
        probe: async (url) => verdictOf((await at(url).patch(pathOf(client), widen)).status, 200),
        make: async (url) => changed(await at(url).patch(path, policy(26))),
        undo: async () => changed(await world.api.patch(path, policy(null))),
      };
    },
    'a suspension, asked by tokens': async () => {
      const client = await aClient();
      const token = await world.tokenOf(client);
      const path = `/v1/operations/${client.operationId}`;
      return {
        probe: (url) => forwardAuth(url, token),
        make: async (url) => changed(await at(url).patch(path, { status: 'suspended' })),
        undo: async () => changed(await world.api.patch(path, { status: 'active' })),
      };
    },
    'a suspension, asked by secrets': async () => {
      const client = await aClient();
      const token = await world.tokenOf(client);
      const path = `/v1/operations/${client.operationId}`;
      return {
        probe: (url) => signsIn(url, client, token),
        make: async (url) => changed(await at(url).patch(path, { status: 'suspended' })),
        undo: async () => changed(await world.api.patch(path, { status: 'active' })),
      };
    },
    'the end of one secret': async () => {
      let old = await aClient();
      const token = await world.tokenOf(old);
      const rotated = (): Promise<Answer<CredentialBody>> =>
        world.api.post<CredentialBody>(`${pathOf(old)}/rotate-secret`, { overlapSeconds: 3600 });
      let next = (await rotated()).body;
      return {
        probe: (url) => signsIn(url, old, token),
        make: async (url) => changed(await at(url).delete(`${pathOf(old)}/secrets/${next.secrets[1]!.id}`)),
        undo: async () => {
          old = next;
          next = (await rotated()).body;
        },
      };
    },
    'a person by a session': async () => {
      const person: SignIn & { id: string } = await aUser(world.api, ['auditor']);
      let session = await world.api.inSession(person);
      return disabling(
        person.id,
        (url) => mine(at(url).as({ cookie: session.headers['cookie']! })),
        async () => {
          session = await world.api.inSession(person);
        },
      );
    },
    'a person by a bearer token': async () => {
      const name = unique('person');
      const bearer = await provider.bearer(name, { groups: ['auditor'] });
      const { body } = await world.api.as({ bearer }).get<{ id: string }>('/v1/me');
      let token = bearer;
      return disabling(
        body.id,
        (url) => mine(at(url).as({ bearer: token })),
        async () => {
          token = await provider.bearer(name, { groups: ['auditor'] });
        },
      );
    },
    'a service user by an API key': async () => {
      const robot = { username: unique('robot'), kind: 'service', roles: ['auditor'] };
      const { id } = (await world.api.post<{ id: string }>('/v1/users', robot)).body;
      const key = await world.api.post<{ apiKey: string }>(`/v1/users/${id}/keys`, { name: 'probe' });
      return disabling(id, (url) => mine(at(url).as({ bearer: key.body.apiKey })));
    },
  };

  it.each(Object.keys(changes))(
    `answers no probe by the old state after the answer: %s`,
    async (name) => {
      const urls = world.services.map(({ url }) => url);
      const tally = await probeChange(urls, await changes[name]!(), PROBES);
      console.info(name, { ...tally, broken: tally.broken.length });
      expect(tally.broken).toEqual([]);
      expect(tally.after).toBeGreaterThanOrEqual(PROBES);
      // or the old state was never in force
      expect(tally.before).toBeGreaterThan(tally.rounds);
      expect(traffic.violations).toEqual([]);
    },
    120_000 + PROBES * MAX_MS_EACH,
  );
});
