import { ChainVerifier } from '../../libs/chain/chain-verifier.ts';
import { toLogEvent } from '../../libs/events/log/event-log.ts';
import type { EventDocument } from '../../libs/events/log/event.schema.ts';
import type { TestDatabase } from './database.ts';
import { eventually } from './service.ts';
import { chainName } from '../../libs/chain/chain-name.ts';

const CREDENTIALS_AT_MOST = 10;
const TOKENS_AT_MOST = 10;

/** One credential according to the event log. */
interface Told {
  created: number;
  deleted: string[];
  /** Ids of the deletions that its purges name as their cause. */
  purgedBecauseOf: string[];
  purgedCount: number;
  /** Ids of tokens issued that were neither revoked nor evicted, and when each ends. */
  readonly tokens: Map<string, number>;
  /** Numbers of issued, revoked and evicted tokens according to the log. */
  issued: number;
}

/** The state according to the event log. */
interface Log {
  readonly credentials: Map<string, Told>;
  readonly heads: Map<string, { seq: number; hash: string }>;
  prunedCount: number;
}

interface StoredToken {
  readonly id: string;
  readonly credentialId: string;
  readonly slot: number;
}

interface StoredCredential {
  readonly _id: string;
  readonly operationId: string;
  readonly slot: number;
}

/**
 * Waits until the follow-up work of all commits is done.
 *
 * @throws Error when it is not within the time
 */
export async function settled(database: TestDatabase, limitMs = 60_000): Promise<void> {
  const outbox = await database.collection('outbox');
  await eventually(async () => (await outbox.countDocuments()) === 0, limitMs);
}

/**
 * Compares the store, the event log and the outbox when nothing is in progress.
 *
 * @returns one sentence per disagreement; empty if everything agrees
 */
export async function disagreements(database: TestDatabase): Promise<string[]> {
  for (;;) {
    const before = await heads(database);
    const faults = await look(database);
    // the comparison took several queries: a commit in between is not a fault
    if (faults.length === 0 || (await heads(database)) === before) return faults;
  }
}

async function heads(database: TestDatabase): Promise<string> {
  const documents = await (await database.collection('chain_heads')).find().sort({ _id: 1 }).toArray();
  return JSON.stringify(documents);
}

async function look(database: TestDatabase): Promise<string[]> {
  const faults: string[] = [];
  const log = await readLog(database, faults);
  const credentials = await all<StoredCredential>(database, 'credentials');
  const tokens = await all<StoredToken>(database, 'tokens');
  compareHeads(log, await all(database, 'chain_heads'), faults);
  compareCredentials(log, credentials, faults);
  await compareOperations(database, credentials, faults);
  compareTokens(log, credentials, tokens, faults);
  const waiting = await (await database.collection('outbox')).countDocuments();
  if (waiting > 0) faults.push(`the outbox holds ${waiting} rows`);
  return faults;
}

async function all<T>(database: TestDatabase, name: string): Promise<T[]> {
  const collection = await database.collection(name);
  return (await collection.find().toArray()) as unknown as T[];
}

async function readLog(database: TestDatabase, faults: string[]): Promise<Log> {
  const log: Log = { credentials: new Map(), heads: new Map(), prunedCount: 0 };
  const events = await database.collection('events');
  let verifier: ChainVerifier | undefined;
  let chain = '';
  const end = (): void => {
    if (verifier === undefined) return;
    const fault = verifier.end();
    if (fault !== null) faults.push(`the chain ${chain} is broken at ${fault.seq}: ${fault.reason}`);
    log.heads.set(chain, { seq: verifier.head.seq, hash: verifier.head.hash });
  };
  for await (const document of events.find().sort({ chain: 1, seq: 1 })) {
    const event = document as unknown as EventDocument;
    if (event.chain !== chain || verifier === undefined) {
      end();
      chain = event.chain;
      verifier = new ChainVerifier(chainName(chain));
    }
    verifier.add(toLogEvent(event));
    hear(log, event);
  }
  end();
  return log;
}

function hear(log: Log, event: EventDocument): void {
  if (event.type === 'tokens.pruned.v1') log.prunedCount += Number(event.data['count']);
  if (event.subject.type !== 'credential') return;
  let told = log.credentials.get(event.subject.id);
  if (told === undefined) {
    told = { created: 0, deleted: [], purgedBecauseOf: [], purgedCount: 0, tokens: new Map(), issued: 0 };
    log.credentials.set(event.subject.id, told);
  }
  const { data } = event;
  switch (event.type) {
    case 'credential.created.v1':
      told.created += 1;
      break;
    case 'credential.deleted.v1':
      told.deleted.push(event._id);
      break;
    case 'tokens.purged.v1':
      told.purgedBecauseOf.push(String(data['causedBy']));
      told.purgedCount += Number(data['count']);
      break;
    case 'token.issued.v1':
      told.issued += 1;
      told.tokens.set(String(data['tokenId']), Date.parse(String(data['expiresAt'])));
      if (typeof data['evictedTokenId'] === 'string') told.tokens.delete(data['evictedTokenId']);
      break;
    case 'token.revoked.v1':
      for (const id of data['tokenIds'] as string[]) told.tokens.delete(id);
      break;
  }
}

function compareHeads(
  { heads }: Log,
  stored: readonly { _id: string; seq: number; hash: string }[],
  faults: string[],
): void {
  for (const { _id, seq, hash } of stored) {
    const head = heads.get(_id);
    if (head?.seq !== seq || head.hash !== hash) {
      faults.push(`the chain ${_id} ends at ${head?.seq ?? 'nothing'}, its head says ${seq}`);
    }
  }
  const known = new Set(stored.map(({ _id }) => _id));
  for (const chain of heads.keys()) if (!known.has(chain)) faults.push(`the chain ${chain} has no head`);
}

function compareCredentials({ credentials }: Log, stored: readonly StoredCredential[], faults: string[]): void {
  const there = new Set(stored.map(({ _id }) => _id));
  for (const id of there) if (!credentials.has(id)) faults.push(`no event tells of the credential ${id}`);
  for (const [id, told] of credentials) {
    if (told.created !== 1) faults.push(`${id} was created ${told.created} times`);
    const deletions = there.has(id) ? 0 : 1;
    if (told.deleted.length !== deletions) faults.push(`${id} has ${told.deleted.length} deletions, not ${deletions}`);
    const causes = told.purgedBecauseOf.join();
    if (causes !== told.deleted.join())
      faults.push(`${id} was purged because of "${causes}", not "${told.deleted.join()}"`);
  }
}

async function compareOperations(
  database: TestDatabase,
  credentials: readonly StoredCredential[],
  faults: string[],
): Promise<void> {
  const operations = await all<{ _id: string; credentialCount: number }>(database, 'operations');
  const byOperation = Map.groupBy(credentials, ({ operationId }) => operationId);
  for (const { _id, credentialCount } of operations) {
    const held = byOperation.get(_id) ?? [];
    byOperation.delete(_id);
    if (held.length !== credentialCount) faults.push(`${_id} counts ${credentialCount} of ${held.length} credentials`);
    checkSlots(_id, held, CREDENTIALS_AT_MOST, faults);
  }
  for (const id of byOperation.keys()) faults.push(`there are credentials of the absent operation ${id}`);
}

function compareTokens(
  log: Log,
  credentials: readonly StoredCredential[],
  tokens: readonly StoredToken[],
  faults: string[],
): void {
  const live = new Set(credentials.map(({ _id }) => _id));
  const byCredential = Map.groupBy(tokens, ({ credentialId }) => credentialId);
  for (const id of byCredential.keys())
    if (!live.has(id)) faults.push(`there are tokens of the absent credential ${id}`);
  for (const [id, told] of log.credentials) {
    const stored = byCredential.get(id) ?? [];
    checkSlots(id, stored, TOKENS_AT_MOST, faults);
    for (const token of stored) if (!told.tokens.has(token.id)) faults.push(`${token.id} was ended or never issued`);
    const ids = new Set(stored.map((token) => token.id));
    // an expired token may have been pruned or replaced, and no event names it
    const gone = [...told.tokens].filter(([token, endsAtMs]) => !ids.has(token) && endsAtMs > Date.now());
    const purged = live.has(id) ? 0 : told.purgedCount;
    if (gone.length > purged) faults.push(`${gone.length} live tokens of ${id} are gone, ${purged} were purged`);
    if (purged > told.tokens.size) faults.push(`${purged} tokens of ${id} were purged, it had ${told.tokens.size}`);
  }
}

function checkSlots(owner: string, held: readonly { slot: number }[], limit: number, faults: string[]): void {
  const slots = new Set(held.map(({ slot }) => slot));
  if (slots.size !== held.length) faults.push(`${owner} has two in one place`);
  for (const slot of slots) if (slot < 0 || slot >= limit) faults.push(`${owner} has one in place ${slot}`);
}
