import { setTimeout as pause } from 'node:timers/promises';
import { Api } from './api.ts';
import type { Answer, CredentialBody } from './api.ts';
import { aResourceServer, anApi, anOperation, pathOf, unique } from './builders.ts';

/** Numbers of answers by action and status. `0` is no answer. */
export type Counts = Record<string, number>;

interface KnownToken {
  readonly text: string;
  state: 'live' | 'ending' | 'ended';
  /** It expires between these, in milliseconds since 1970. */
  readonly runsOut: { readonly fromMs: number; readonly toMs: number };
}

interface Known {
  readonly credential: CredentialBody;
  readonly tokens: KnownToken[];
  /** `asked`: a deletion was sent, with unknown result. `answered`: from then on it must be refused everywhere. */
  removal: 'no' | 'asked' | 'answered';
  /** How many deletions were sent. */
  removals: number;
}

export interface TrafficOptions {
  /** Where to send the next request. */
  readonly url: () => string;
  /** How many callers there are; each sends one request after the other. */
  readonly callers: number;
  readonly operations?: number;
  /** Statuses that are accepted besides those of a healthy service; 0 is no answer. */
  readonly borne?: readonly number[];
  readonly pauseMs?: number;
  /** Weights of actions that differ from the default. */
  readonly mix?: Partial<Readonly<Record<Deed, number>>>;
  /** Token lifetime of the next credential, in seconds; default: an hour. */
  readonly tokenTtlSeconds?: () => number;
}

type Deed = 'create' | 'remove' | 'edit' | 'issue' | 'revoke' | 'ask';
/** Default weights of actions. */
const MIX: Readonly<Record<Deed, number>> = { create: 2, remove: 1, edit: 1, issue: 6, revoke: 2, ask: 8 };

/** Edits and deletions hit the few oldest credentials, so that they collide. */
const SOUGHT_AFTER = 6;

/** Longer than any instance caches a read, in milliseconds. */
const LEASE_OVER_MS = 300;

/** Maximum error of an instance's reading of the store's clock, and of this machine's clock, in milliseconds. */
const CLOCK_MS = 5_000;

/** How often an unanswered creation is retried. */
const TRIES = 3;

/**
 * Users and clients that concurrently create, edit and delete credentials, and issue, revoke and verify tokens. They
 * check each answer against what may be true at that time.
 */
export class Traffic {
  readonly counts: Counts = {};
  /** Violations, one sentence each. */
  readonly violations: string[] = [];
  /** The slowest answer, in milliseconds. */
  slowestMs = 0;
  /** Number of answers about tokens that had ended before the request. */
  askedOfDead = 0;
  /** Names of credentials that may exist although the answer with their secret was lost. */
  private readonly unanswered = new Set<string>();
  private readonly known: Known[] = [];
  private places: { readonly operationId: string; readonly api: string }[] = [];
  private resourceServer = { username: '', password: '' };
  private going = false;
  private running: Promise<void>[] = [];
  private readonly deeds: readonly Deed[];

  constructor(private readonly options: TrafficOptions) {
    const mix = Object.entries({ ...MIX, ...options.mix }) as [Deed, number][];
    this.deeds = mix.flatMap(([deed, times]) => Array<Deed>(times).fill(deed));
  }

  /** Creates what the callers need, through a healthy service. */
  async prepare(): Promise<this> {
    const admin = new Api(this.options.url());
    for (let made = 0; made < (this.options.operations ?? 3); made += 1) {
      this.places.push({ operationId: (await anOperation(admin)).id, api: (await anApi(admin)).key });
    }
    this.resourceServer = await aResourceServer(
      admin,
      this.places.map(({ api }) => api),
    );
    return this;
  }

  start(): this {
    this.going = true;
    this.running = Array.from({ length: this.options.callers }, () => this.callOnAndOn());
    return this;
  }

  /** Stops sending; resolves when the last answer has arrived. */
  async stop(): Promise<void> {
    this.going = false;
    await Promise.all(this.running);
  }

  /** Verifies again every token of every credential whose deletion was answered. @returns how many */
  async askAboutTheDead(): Promise<number> {
    const dead = this.known.filter(({ removal }) => removal === 'answered');
    const questions = dead.flatMap((known) => known.tokens.map((token) => [known, token] as const));
    const next = questions.values();
    const ask = async (): Promise<void> => {
      for (const [known, token] of next) await this.askAbout(known, token);
    };
    await Promise.all(Array.from({ length: this.options.callers }, ask));
    return questions.length;
  }

  private async callOnAndOn(): Promise<void> {
    while (this.going) {
      await this[pick(this.deeds)!]();
      if (this.options.pauseMs !== undefined) await pause(this.options.pauseMs * Math.random());
    }
  }

  private async create(): Promise<void> {
    const { operationId, api } = pick(this.places)!;
    const path = `/v1/operations/${operationId}/credentials`;
    const tokenTtlSeconds = this.options.tokenTtlSeconds?.() ?? 3600;
    const body = { name: unique('credential'), apis: [api], tokenTtlSeconds };
    const idempotencyKey = unique('key');
    let answer: Answer<CredentialBody> | undefined;
    for (let tried = 0; tried < TRIES; tried += 1) {
      const expected = tried === 0 ? [201, 409] : [200, 201, 409];
      answer = await this.send('create', expected, (admin) => admin.post(path, body, { idempotencyKey }));
      if (answer?.text.includes('name-taken') === true)
        this.violations.push(`${body.name} was made, and asked for again by its key the name was taken`);
      if (answer !== undefined && answer.status < 500) break;
    }
    if (answer?.status === 201) {
      this.known.push({ credential: answer.body, tokens: [], removal: 'no', removals: 0 });
    } else if (answer?.text.includes('credential-limit') === true) await this.makeRoom(path);
    else this.unanswered.add(body.name);
  }

  /** Deletes credentials whose creation was not answered, since nobody has their secret. */
  private async makeRoom(path: string): Promise<void> {
    const list = await this.send('list', [200], (admin) => admin.get<{ items: CredentialBody[] }>(`${path}?limit=100`));
    for (const { id, name } of list?.status === 200 ? list.body.items : []) {
      if (this.unanswered.has(name)) await this.send('make room', [204, 404], (admin) => admin.delete(`${path}/${id}`));
    }
  }

  private async remove(): Promise<void> {
    const known = pick(this.known.filter(({ removal }) => removal !== 'answered').slice(0, SOUGHT_AFTER));
    if (known === undefined) return;
    known.removal = 'asked';
    known.removals += 1;
    const answer = await this.send('remove', [204, 404], (api) => api.delete(pathOf(known.credential)));
    if (answer?.status === 204) known.removal = 'answered';
    if (answer?.status !== 404) return;
    if (known.removals === 1) this.violations.push(`${known.credential.id} was gone before its deletion`);
    // another deletion was quicker, or its answer was lost: it is in force everywhere only after the lease
    await pause(LEASE_OVER_MS);
    known.removal = 'answered';
  }

  private async edit(): Promise<void> {
    const known = this.someLive();
    if (known === undefined) return;
    const removal = known.removal;
    const answer = await this.send('edit', [200, 404], (api) =>
      api.patch(pathOf(known.credential), { description: unique('edited') }),
    );
    if (answer?.status === 200 && removal === 'answered')
      this.violations.push(`${known.credential.id} was edited after its end`);
    if (answer?.status === 404) this.mustBeDoomed(known, 'not found');
  }

  private async issue(): Promise<void> {
    const known = this.some();
    if (known === undefined) return;
    const removal = known.removal;
    const { tokenTtlSeconds } = known.credential;
    const sentAtMs = Date.now();
    const answer = await this.send('issue', [200, 401, 429], (api) => api.token(known.credential));
    if (answer?.status === 401) this.mustBeDoomed(known, 'refused');
    if (answer?.status !== 200) return;
    if (removal === 'answered') this.violations.push(`${known.credential.id} got a token after its end`);
    const runsOut = {
      fromMs: sentAtMs + tokenTtlSeconds * 1000 - CLOCK_MS,
      toMs: Date.now() + tokenTtlSeconds * 1000 + CLOCK_MS,
    };
    known.tokens.push({ text: answer.body['access_token'] as string, state: 'live', runsOut });
  }

  private async revoke(): Promise<void> {
    const known = this.someLive();
    const token = pick(known?.tokens.filter(({ state }) => state === 'live') ?? []);
    if (known === undefined || token === undefined) return;
    token.state = 'ending';
    const answer = await this.send('revoke', [200, 401], (api) => api.revoke(known.credential, token.text));
    if (answer?.status === 200) token.state = 'ended';
    if (answer?.status === 401) this.mustBeDoomed(known, 'refused');
  }

  private async ask(): Promise<void> {
    const known = this.some();
    const token = pick(known?.tokens ?? []);
    if (known !== undefined && token !== undefined) await this.askAbout(known, token);
  }

  private async askAbout(known: Known, token: KnownToken): Promise<void> {
    const dead = known.removal === 'answered' || token.state === 'ended' || Date.now() > token.runsOut.toMs;
    const answer = await this.send('ask', [200], (api) => api.introspect(this.resourceServer, token.text, '192.0.2.7'));
    if (answer?.status !== 200) return;
    const { active } = answer.body;
    if (dead) this.askedOfDead += 1;
    if (active === true && dead) this.violations.push(`a dead token of ${known.credential.id} was called active`);
    const mayHaveRunOut = Date.now() > token.runsOut.fromMs;
    if (active !== true && token.state === 'live' && !mayHaveRunOut)
      this.mustBeDoomed(known, 'its live token called inactive');
  }

  /** A credential was treated as deleted without a deletion request. */
  private mustBeDoomed({ credential, removal }: Known, what: string): void {
    if (removal === 'no') this.violations.push(`${credential.id}, which is live, was treated as dead: ${what}`);
  }

  private some(): Known | undefined {
    // mostly the younger ones: they are live or being deleted
    return Math.random() < 0.2 ? pick(this.known) : pick(this.known.slice(-40));
  }

  private someLive(): Known | undefined {
    return pick(this.known.filter(({ removal }) => removal === 'no').slice(0, SOUGHT_AFTER));
  }

  private async send<T>(
    deed: string,
    expected: readonly number[],
    call: (api: Api) => Promise<Answer<T>>,
  ): Promise<Answer<T> | undefined> {
    const startedAt = performance.now();
    let answer: Answer<T> | undefined;
    try {
      answer = await call(new Api(this.options.url()));
    } catch (error) {
      this.judge(deed, 0, expected, String(error instanceof Error ? (error.cause ?? error) : error));
    }
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
    if (answer !== undefined) this.judge(deed, answer.status, expected, answer.text);
    return answer;
  }

  private judge(deed: string, status: number, expected: readonly number[], text: string): void {
    const key = `${deed} ${status}`;
    this.counts[key] = (this.counts[key] ?? 0) + 1;
    if (expected.includes(status) || this.options.borne?.includes(status) === true) return;
    this.violations.push(`${deed} was answered ${status}: ${text.slice(0, 300)}`);
  }
}

function pick<T>(from: readonly T[]): T | undefined {
  return from[Math.floor(Math.random() * from.length)];
}
