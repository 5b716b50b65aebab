import fc from 'fast-check';
import { basic } from './api.ts';
import type { Answer, Api, CredentialBody, SignIn } from './api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf } from './builders.ts';
import { PatientApi } from './patient-api.ts';
import { eventually } from './service.ts';

export interface Affected {
  readonly since: string;
  readonly liveTokens: number;
  readonly lastUsedAt: string | null;
  readonly addresses: readonly { readonly address: string; readonly count: number }[];
  readonly apis: readonly { readonly api: string; readonly count: number }[];
  readonly secrets: readonly { readonly secretId: string; readonly count: number }[];
}
export interface DryRunBody {
  readonly changes: readonly { readonly type: string }[];
  readonly affected: Affected;
}

/** A write, and its dry run by the same arguments. */
type Write = (query: string) => Promise<Answer<DryRunBody>>;

/** From each range one address, and one from none. */
const ADDRESSES = ['192.0.2.7', '198.51.100.9', '2001:db8::5', '203.0.113.200', '203.0.113.7'];
const RANGES = ['192.0.2.0/24', '198.51.100.9', '2001:db8::/32', '203.0.113.128/25'];

export const DEEDS = [
  'narrow',
  'set apis',
  'disable',
  'delete',
  'remove api',
  'unselect',
  'ceiling',
  'suspend',
  'rotate',
  'rotate with overlap',
  'compromise',
  'end secret',
  'end tokens',
  'rename',
] as const;

export const worlds = fc.record({
  apis: fc.subarray([0, 1, 2], { minLength: 1 }),
  allowedIps: fc.subarray(RANGES),
  before: fc.constantFrom('nothing', 'nothing', 'nothing', 'disable', 'unselect', 'suspend'),
  uses: fc.array(fc.record({ ip: fc.constantFrom(...ADDRESSES), api: fc.nat(2) }), { minLength: 2, maxLength: 5 }),
  which: fc.nat(20),
  to: fc.subarray(RANGES),
});
type World = typeof worlds extends fc.Arbitrary<infer T> ? T : never;

/** A credential with two secrets that was used. */
export interface Case {
  readonly world: World;
  readonly deed: (typeof DEEDS)[number];
  readonly credential: CredentialBody;
  readonly path: string;
  readonly operation: string;
  readonly secrets: readonly { readonly id: string; readonly text: string }[];
  readonly tokens: readonly { readonly text: string; readonly ip: string; readonly scope: readonly string[] }[];
  /** How often a token was found good. */
  readonly uses: number;
}

/** The addresses, APIs and secrets that work, and for each token the APIs that it can call. */
export interface Works {
  readonly addresses: readonly string[];
  readonly apis: readonly string[];
  readonly secrets: readonly string[];
  readonly tokens: readonly string[];
}

interface Usage {
  readonly buckets: readonly { readonly issued: number; readonly used: number }[];
  readonly addresses: readonly { readonly address: string }[];
  readonly apis: readonly { readonly api: string }[];
  readonly secrets: readonly { readonly secretId: string; readonly count: number }[];
}

/** Credentials that were used, and what is done to them. */
export class UsedCredentials {
  private constructor(
    private readonly admin: Api,
    /** Three keys of the catalogue. */
    readonly apis: readonly string[],
    private readonly gateway: SignIn,
  ) {}

  /** @param url of an instance that trusts the proxy 127.0.0.1 */
  static async at(url: string): Promise<UsedCredentials> {
    const admin = new PatientApi(url);
    const apis = [(await anApi(admin)).key, (await anApi(admin)).key, (await anApi(admin)).key];
    return new UsedCredentials(admin, apis, await aResourceServer(admin, apis));
  }

  /** @returns undefined if it is refused */
  async token({ clientId }: CredentialBody, secret: string, ip: string, scope?: string): Promise<string | undefined> {
    const { status, body } = await this.admin
      .as({ username: clientId, password: secret })
      .call('POST', '/oauth2/token', {
        raw: new URLSearchParams({
          grant_type: 'client_credentials',
          ...(scope === undefined ? {} : { scope }),
        }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': ip },
      });
    return status === 200 ? (body['access_token'] as string) : undefined;
  }

  async mayCall(text: string, api: string, ip: string, gateway = this.gateway): Promise<boolean> {
    const headers = {
      authorization: `Bearer ${text}`,
      'x-forward-auth-authorization': basic(gateway),
      'x-forward-auth-client-ip': ip,
    };
    return (await this.admin.as(null).get(`/oauth2/forward-auth?api=${api}`, { headers })).status === 204;
  }

  /** A new credential that was used, and then perhaps blocked. */
  async create(world: World, deed: Case['deed']): Promise<Case> {
    const { id: operationId } = await anOperation(this.admin);
    const operation = `/v1/operations/${operationId}`;
    const credential = await aCredential(this.admin, operationId, {
      apis: world.apis.map((at) => this.apis[at]),
      allowedIps: world.allowedIps,
      tokenLimitPolicy: 'evict_oldest',
    });
    const path = pathOf(credential);
    const { body } = await this.admin.post<CredentialBody>(`${path}/rotate-secret`, { overlapSeconds: 3_600 });
    const secrets = [
      { id: body.secrets[0]!.id, text: body.clientSecret },
      { id: body.secrets[1]!.id, text: credential.clientSecret },
    ];
    const tokens: Case['tokens'][number][] = [];
    let uses = 0;
    for (const [at, { ip, api }] of world.uses.entries()) {
      const scope = at === 0 ? credential.apis : [this.apis[api]!];
      const text = await this.token(credential, secrets[at % 2]!.text, ip, scope.join(' '));
      if (text === undefined) continue;
      tokens.push({ text, ip, scope });
      if (await this.mayCall(text, this.apis[api]!, ip)) uses += 1;
    }
    if (world.before === 'disable') await this.admin.patch(path, { status: 'disabled' });
    if (world.before === 'unselect') await this.admin.delete(`${path}/apis`);
    if (world.before === 'suspend') await this.admin.patch(operation, { status: 'suspended' });
    return { world, deed, credential, path, operation, secrets, tokens, uses };
  }

  writeOf({ deed, world: { which, to }, path, operation, secrets }: Case): Write {
    const api = this.apis[which % 3]!;
    const rotate =
      (body: object): Write =>
      (query) =>
        this.admin.post<DryRunBody>(`${path}/rotate-secret${query}`, body);
    const edit =
      (at: string, body: object): Write =>
      (query) =>
        this.admin.patch<DryRunBody>(`${at}${query}`, body);
    const writes: Readonly<Record<Case['deed'], Write>> = {
      narrow: edit(path, { allowedIps: to.length === 0 ? [RANGES[which % 4]] : to }),
      'set apis': (query) => this.admin.put<DryRunBody>(`${path}/apis${query}`, { apis: [api] }),
      disable: edit(path, { status: 'disabled' }),
      delete: (query) => this.admin.delete<DryRunBody>(`${path}${query}`),
      'remove api': edit(`${path}/apis`, { remove: [api] }),
      unselect: (query) => this.admin.delete<DryRunBody>(`${path}/apis${query}`),
      ceiling: (query) => this.admin.put<DryRunBody>(`${operation}/apis${query}`, { mode: 'listed', apis: [api] }),
      suspend: edit(operation, { status: 'suspended' }),
      rotate: rotate({ endOldest: true }),
      'rotate with overlap': rotate({ endOldest: true, overlapSeconds: 600 }),
      compromise: rotate({ compromised: true }),
      'end secret': (query) => this.admin.delete<DryRunBody>(`${path}/secrets/${secrets[which % 2]!.id}${query}`),
      'end tokens': (query) => this.admin.delete<DryRunBody>(`${path}/tokens${query}`),
      rename: edit(path, { description: 'another' }),
    };
    return writes[deed];
  }

  /** What works before the change, by simulation, which is not counted as use. */
  async simulated({ path, secrets, tokens }: Case): Promise<Works> {
    const allowed = new Set<string>();
    for (const ip of ADDRESSES) {
      for (const api of this.apis) {
        const { body } = await this.admin.post<{ allowed: boolean }>(`${path}/simulate`, { ip, api });
        if (body.allowed) allowed.add(`${ip} ${api}`);
      }
    }
    return {
      addresses: ADDRESSES.filter((ip) => this.apis.some((api) => allowed.has(`${ip} ${api}`))),
      apis: this.apis.filter((api) => ADDRESSES.some((ip) => allowed.has(`${ip} ${api}`))),
      secrets: allowed.size > 0 ? secrets.map(({ id }) => id) : [],
      tokens: tokens.map(({ ip, scope }) => scope.filter((api) => allowed.has(`${ip} ${api}`)).join(' ')),
    };
  }

  /** What works after the change, by real requests with the secrets and tokens from before. */
  async real({ credential, secrets, tokens }: Case): Promise<Works> {
    // first, since each of the requests below may evict a token
    const callable: string[] = [];
    for (const { text, ip, scope } of tokens) {
      callable.push((await filtered(scope, (api) => this.mayCall(text, api, ip))).join(' '));
    }
    const issues = (ips: readonly string[], keys: readonly string[], known: Case['secrets']): Promise<boolean> =>
      some(ips, (ip) =>
        some(keys, (key) =>
          some(known, async ({ text }) => (await this.token(credential, text, ip, key)) !== undefined),
        ),
      );
    return {
      addresses: await filtered(ADDRESSES, (ip) => issues([ip], this.apis, secrets)),
      apis: await filtered(this.apis, (key) => issues(ADDRESSES, [key], secrets)),
      secrets: (await filtered(secrets, (secret) => issues(ADDRESSES, this.apis, [secret]))).map(({ id }) => id),
      tokens: callable,
    };
  }

  /** What was seen of the credential, once all of it is written. */
  async seenUse(path: string, issued: number, used: number): Promise<Omit<Works, 'tokens'>> {
    let usage: Usage | undefined;
    await eventually(async () => {
      ({ body: usage } = await this.admin.get<Usage>(`${path}/usage?bucket=day`));
      const sum = (of: 'issued' | 'used'): number => usage!.buckets.reduce((total, bucket) => total + bucket[of], 0);
      return sum('issued') === issued && sum('used') === used;
    });
    return {
      addresses: usage!.addresses.map(({ address }) => address),
      apis: usage!.apis.map(({ api }) => api),
      secrets: usage!.secrets.filter(({ count }) => count > 0).map(({ secretId }) => secretId),
    };
  }
}

/** The first for which it holds, asked one after the other. */
async function some<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (await holds(item)) return true;
  return false;
}

async function filtered<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept: T[] = [];
  for (const item of items) if (await holds(item)) kept.push(item);
  return kept;
}
