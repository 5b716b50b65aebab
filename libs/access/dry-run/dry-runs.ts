import { Injectable } from '@nestjs/common';
import { CredentialReader } from '#credentials';
import { TokenRepository } from '#tokens';
import { UsageReader } from '#usage';
import type { UsageSummary } from '#usage';
import { affectsToken, refusedUse, refusesAll } from '../domain/refused-use.ts';
import type { SeenUse, Sighting } from '../domain/refused-use.ts';
import { DryRun } from './dry-run.ts';
import type { ObservedChange } from './observed-change.ts';
import { latest, SightingTotals } from './sighting-totals.ts';

const SEEN_WITHIN_MS = 86_400_000;

/** One change, as its event would record it. */
export interface PlannedEvent {
  readonly type: string;
  readonly subject: { readonly type: string; readonly id: string };
  readonly data: Readonly<Record<string, unknown>>;
}

type Named<Name extends string> = { readonly [member in Name]: string } & {
  readonly count: number;
  readonly lastSeenAt: string;
};

export interface DryRunView {
  readonly dryRun: true;
  readonly changes: readonly PlannedEvent[];
  readonly affected: {
    readonly since: string;
    readonly liveTokens: number;
    readonly lastUsedAt: string | null;
    readonly addresses: readonly Named<'address'>[];
    readonly apis: readonly Named<'api'>[];
    readonly secrets: readonly Named<'secretId'>[];
  };
}

/** Begins dry runs, and tells what the change would refuse of what was seen in the last 24 hours. */
@Injectable()
export class DryRuns {
  constructor(
    private readonly credentials: CredentialReader,
    private readonly tokens: TokenRepository,
    private readonly usage: UsageReader,
  ) {}

  /** @returns the observer for the context of the command */
  begin(): DryRun {
    return new DryRun(this.credentials, this.tokens);
  }

  /** @param dryRun after its command was rolled back @throws DomainError `store-unavailable` */
  async describe({ observed }: DryRun): Promise<DryRunView> {
    const dayBefore = new Date(observed.at.getTime() - SEEN_WITHIN_MS);
    const recordedSince = await this.usage.recordedSince();
    const since = recordedSince > dayBefore ? recordedSince : dayBefore;
    const ids = observed.credentials.map(({ before }) => before.id);
    const seen = await this.usage.since(ids, dayBefore);
    const changes = observed.events.map(({ type, subject, data }) => ({ type, subject, data: { ...data } }));
    return { dryRun: true, changes, affected: { since: since.toISOString(), ...affected(observed, seen) } };
  }
}

function affected(
  { at, credentials, tokens }: ObservedChange,
  seen: ReadonlyMap<string, UsageSummary>,
): Omit<DryRunView['affected'], 'since'> {
  const addresses = new SightingTotals();
  const apis = new SightingTotals();
  const secrets = new SightingTotals();
  let lastUsedAt: Date | null = null;
  let liveTokens = 0;
  for (const { before, after } of credentials) {
    const change = { before, after, nowMs: at.getTime() };
    const use = seen.get(before.id);
    const refused = refusedUse(change, seenUse(use));
    addresses.add(refused.addresses);
    apis.add(refused.apis);
    secrets.add(refused.secrets);
    const sightings = [...refused.addresses, ...refused.apis, ...refused.secrets];
    for (const { lastSeenAt } of sightings) lastUsedAt = latest(lastUsedAt, lastSeenAt);
    if (refusesAll(change)) lastUsedAt = latest(lastUsedAt, latest(before.lastUsedAt, use?.lastUsedAt ?? null));
    const own = tokens.filter(({ token }) => token.credentialId === before.id);
    liveTokens += own.filter(({ token, isEnded }) => affectsToken(change, token, isEnded)).length;
  }
  return {
    liveTokens,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    addresses: addresses.sorted().map(({ name, ...rest }) => ({ address: name, ...shown(rest) })),
    apis: apis.sorted().map(({ name, ...rest }) => ({ api: name, ...shown(rest) })),
    secrets: secrets.sorted().map(({ name, ...rest }) => ({ secretId: name, ...shown(rest) })),
  };
}

function seenUse(use: UsageSummary | undefined): SeenUse {
  const { addresses = [], apis = [], secrets = [] } = use ?? {};
  return {
    addresses: addresses.map(({ address, ...rest }) => ({ name: address, ...rest })),
    apis: apis.map(({ api, ...rest }) => ({ name: api, ...rest })),
    secrets: secrets.map(({ secretId, ...rest }) => ({ name: secretId, ...rest })),
  };
}

function shown({ count, lastSeenAt }: Omit<Sighting, 'name'>): { count: number; lastSeenAt: string } {
  return { count, lastSeenAt: lastSeenAt.toISOString() };
}
