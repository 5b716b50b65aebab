import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { CredentialReader, CredentialRepository } from '#credentials';
import type { CredentialRecord, CredentialUse } from '#credentials';
import { Clock } from '#kernel';
import { TokenRepository } from '#tokens';
import type { TokenSlot } from '#tokens';
import { settleBatch } from './issue-batch.ts';
import type { PreparedIssue, SettledBatch } from './issue-batch.ts';
import { KnownSlots } from './known-slots.ts';
import type { KnownCredential } from './known-slots.ts';

/** The resolution of the last use of a secret, in milliseconds: enough to tell an idle secret from a used one. */
const USE_INTERVAL_MS = 60_000;

const NEVER_NOTED: ReadonlyMap<string, Date> = new Map();

/** The heads of chains, by name. */
type Ends = ReadonlyMap<string, { readonly seq: number }>;

/** The writes of a transaction, and the cached state on which they depend. */
export interface ProvisionalBatch {
  readonly settled: SettledBatch;
  readonly known: ReadonlyMap<string, KnownCredential>;
  /** The stored last use of each secret. */
  readonly notedAt: ReadonlyMap<string, Date>;
  readonly ends: Ends;
}

/**
 * Decides and writes batches of tokens in transactions. If this instance wrote the last event of an operation, it needs
 * no read for a credential: the unchanged chain head proves the cached state
 * (docs/adr/0010-issuing-by-what-the-chain-proves.md).
 */
@Injectable()
export class IssueWriter {
  private readonly knownPlaces = new KnownSlots();

  constructor(
    private readonly tokens: TokenRepository,
    private readonly credentials: CredentialRepository,
    private readonly reader: CredentialReader,
    private readonly clock: Clock,
  ) {}

  /**
   * Decides the answer of each caller.
   *
   * @param ends the expected chain heads of the operations; the transaction must fail if one differs
   */
  async settle(issues: readonly PreparedIssue[], session: ClientSession, ends: Ends): Promise<ProvisionalBatch> {
    const now = this.clock.now();
    const newest = new Map<string, number>();
    for (const { id, version } of issues.map(credentialOf)) newest.set(id, Math.max(version, newest.get(id) ?? 0));
    // a request that was evaluated by an older version than another one is stale: versions only grow
    const current = issues.filter((issue) => isOf(newest, issue));
    const known = this.known(current, ends);
    const stale = new Set<string>();
    const isStale = (issue: PreparedIssue): boolean => stale.has(credentialOf(issue).clientId) || !isOf(newest, issue);
    const notedAt = new Map<string, Date>();
    for (;;) {
      const due = uses(current).filter((use) => !notedAt.has(use.secretId) && isDue(known.get(use.id), use, now));
      for (const clientId of await this.credentials.touch(due, now, session)) stale.add(clientId);
      for (const { secretId } of due) notedAt.set(secretId, now);
      const unread = issues.filter((issue) => !isStale(issue) && !known.has(credentialOf(issue).id));
      const settled = settleBatch(issues, isStale, await this.slots(unread, known, session), now);
      // a refusal does not advance the chain, so it cannot rely on the cached state and reads
      const refused = issues.filter((_issue, index) => settled.outcomes[index] instanceof Error).map(credentialOf);
      const unproven = refused.filter(({ id }) => known.delete(id));
      if (unproven.length > 0) continue;
      for (const issue of issues.filter(isStale)) this.reader.forget(credentialOf(issue).clientId);
      return { settled, known, notedAt, ends };
    }
  }

  /** @throws TransactionConflict if another writer took a slot */
  async write({ settled: { replaced, tokens } }: ProvisionalBatch, session: ClientSession): Promise<void> {
    await this.tokens.delete(replaced, session);
    await this.tokens.insert(tokens, session);
  }

  /**
   * Caches the state after a committed transaction.
   * @param moved the new heads of the chains that it wrote to
   */
  learn(issues: readonly PreparedIssue[], { settled, known, notedAt, ends }: ProvisionalBatch, moved: Ends): void {
    const byOperation = new Map<string, Map<string, KnownCredential>>();
    for (const [index, { request }] of issues.entries()) {
      const outcome = settled.outcomes[index];
      if (outcome instanceof Error || outcome?.stale !== false) continue;
      const { id, operationId, version } = request.credential;
      const credentials = byOperation.get(operationId) ?? new Map<string, KnownCredential>();
      const before = (credentials.get(id) ?? known.get(id))?.notedAt ?? NEVER_NOTED;
      const at = notedAt.get(request.secretId);
      const after = at === undefined ? before : new Map([...before, [request.secretId, at]]);
      credentials.set(id, { version, slots: settled.slots.get(id) ?? [], notedAt: after });
      byOperation.set(operationId, credentials);
    }
    for (const [operationId, credentials] of byOperation) {
      const seq = moved.get(operationId)?.seq;
      if (seq !== undefined) this.knownPlaces.learn(operationId, [ends.get(operationId)?.seq, seq], credentials);
    }
  }

  private known(issues: readonly PreparedIssue[], ends: Ends): Map<string, KnownCredential> {
    const known = new Map<string, KnownCredential>();
    for (const { id, operationId, version } of issues.map(credentialOf)) {
      const credential = this.knownPlaces.of(operationId, ends.get(operationId)?.seq, id);
      if (credential?.version === version) known.set(id, credential);
    }
    return known;
  }

  private async slots(
    unread: readonly PreparedIssue[],
    known: ReadonlyMap<string, KnownCredential>,
    session: ClientSession,
  ): Promise<Map<string, readonly TokenSlot[]>> {
    const ids = [...new Set(unread.map((issue) => credentialOf(issue).id))];
    const stored = ids.length === 0 ? [] : await this.tokens.slots(ids, session);
    const slots = new Map<string, readonly TokenSlot[]>(Map.groupBy(stored, (taken) => taken.credentialId));
    for (const [id, credential] of known) slots.set(id, credential.slots);
    return slots;
  }
}

function credentialOf({ request }: PreparedIssue): CredentialRecord {
  return request.credential;
}

function isOf(versions: ReadonlyMap<string, number>, { request: { credential } }: PreparedIssue): boolean {
  return versions.get(credential.id) === credential.version;
}

/**
 * Whether the use has to be stored: to show it, or because nothing else in the transaction checks the credential's
 * version.
 */
function isDue(known: KnownCredential | undefined, { secretId }: CredentialUse, now: Date): boolean {
  const notedAt = known?.notedAt.get(secretId);
  return notedAt === undefined || now.getTime() - notedAt.getTime() >= USE_INTERVAL_MS;
}

/** One use per secret, with its credential and the version by which it was judged. */
function uses(issues: readonly PreparedIssue[]): CredentialUse[] {
  const bySecret = new Map(
    issues.map(({ request: { credential, secretId } }) => [
      secretId,
      { id: credential.id, clientId: credential.clientId, version: credential.version, secretId },
    ]),
  );
  return [...bySecret.values()];
}
