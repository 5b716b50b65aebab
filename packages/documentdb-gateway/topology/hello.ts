import { BSON } from 'bson';
import type { Document } from 'bson';
import type { Connection } from '../connection.ts';
import { MAX_MESSAGE_BYTES } from '../wire.ts';
import { toTimestamp } from './cluster-clock.ts';
import type { ClusterTime } from './cluster-clock.ts';
import type { Member } from './member.ts';
import type { Endpoint } from './view.ts';

/** The replica set's name, as in the URI of a local mongod. */
const SET_NAME = 'latchkey';
const MAX_BSON_BYTES = 16 * 1024 * 1024;
/** The replica set's configuration never changes. */
const SET_VERSION = 1;

/**
 * The handshake and the monitors' question.
 * @param legacy answer `ismaster` instead of `isWritablePrimary`, as the old handshake did
 */
export function hello(legacy: boolean, connection: Connection): Document {
  const { view, member } = connection.endpoint;
  const isPrimary = member.state === 'primary';
  const topologyVersion = topologyVersionOf(member);
  if (member.state === 'shutting-down') {
    const errmsg = 'The server is in quiesce mode and will shut down';
    return { ok: 0, code: 91, codeName: 'ShutdownInProgress', errmsg, topologyVersion };
  }
  return {
    [legacy ? 'ismaster' : 'isWritablePrimary']: isPrimary,
    ...persona(connection.endpoint),
    helloOk: true,
    topologyVersion,
    maxBsonObjectSize: MAX_BSON_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: 100_000,
    localTime: new Date(Date.now() + view.set.skewOf(member)),
    logicalSessionTimeoutMinutes: 30,
    connectionId: connection.id,
    minWireVersion: 0,
    maxWireVersion: view.set.maxWireVersion,
    readOnly: false,
    ok: 1,
  };
}

/**
 * Waits as an awaitable `hello` does: until the member's state is another than the client knows.
 * @param command the `hello` command
 * @returns whether it was awaitable, so that more answers may follow it
 */
export async function awaitHello(command: Document, connection: Connection): Promise<boolean> {
  const known = command['topologyVersion'] as { processId: BSON.ObjectId; counter: BSON.Long | bigint } | undefined;
  const limitMs = command['maxAwaitTimeMS'] as number | undefined;
  if (known === undefined || limitMs === undefined) return false;
  const { view, member } = connection.endpoint;
  const isNews = (): boolean =>
    !member.topologyVersion.processId.equals(known.processId) ||
    member.topologyVersion.counter !== BigInt(known.counter.toString());
  await view.set.waiters.until(isNews, Math.max(1, limitMs), connection);
  return true;
}

/** The version of what the member says of itself, also in errors: drivers ignore older news. */
export function topologyVersionOf({ topologyVersion: { processId, counter } }: Member): Document {
  return { processId, counter: BSON.Long.fromBigInt(counter) };
}

function persona({ view, member }: Endpoint): Document {
  const { set, hosts } = view;
  if (set.persona === 'mongos') return { msg: 'isdbgrid' };
  if (set.persona === 'standalone') return {};
  const knownPrimary = member.state === 'primary' ? member.index : member.knownPrimary;
  return {
    secondary: member.state === 'secondary',
    setName: SET_NAME,
    setVersion: SET_VERSION,
    hosts: [...hosts],
    me: hosts[member.index],
    ...(knownPrimary === null ? {} : { primary: hosts[knownPrimary] }),
    ...(member.state === 'primary' ? { electionId: electionIdOf(member.term) } : {}),
    lastWrite: lastWrite(member, set.appliedTime(member), set.majorityTime(member)),
  };
}

/** Grows with each term, as drivers compare it. */
function electionIdOf(term: number): BSON.ObjectId {
  return BSON.ObjectId.createFromHexString(`7fffffff${term.toString(16).padStart(16, '0')}`);
}

function lastWrite(member: Member, applied: ClusterTime, majority: ClusterTime): Document {
  const opTime = (time: ClusterTime): Document => ({ ts: toTimestamp(time), t: BSON.Long.fromNumber(member.term) });
  const date = (time: ClusterTime): Date => new Date(Number(time >> 32n) * 1_000);
  return {
    opTime: opTime(applied),
    lastWriteDate: date(applied),
    majorityOpTime: opTime(majority),
    majorityWriteDate: date(majority),
  };
}
