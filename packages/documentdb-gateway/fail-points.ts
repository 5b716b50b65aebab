import { setTimeout as sleep } from 'node:timers/promises';
import { BSON } from 'bson';
import type { Document } from 'bson';
import { LRUCache } from 'lru-cache';
import type { Command, Reply } from './command.ts';
import { errorLabels } from './error-labels.ts';
import { MongoError } from './errors.ts';

/** How often the fail point takes effect. */
type Mode = 'off' | 'alwaysOn' | { readonly times?: number; readonly skip?: number };

/** What `failCommand` does, as MongoDB's fail point of that name. */
interface Failure {
  readonly failCommands: readonly string[];
  readonly errorCode?: number;
  readonly errorLabels?: readonly string[];
  readonly closeConnection?: boolean;
  readonly blockConnection?: boolean;
  readonly blockTimeMS?: number;
  readonly writeConcernError?: Document;
  /** Only commands on this collection, `db.collection`. */
  readonly namespace?: string;
  /** Only commands of sessions and statements on this database: suites share a server. Not in MongoDB. */
  readonly database?: string;
}

interface FailPoint {
  readonly failure: Failure;
  skip: number;
  times: number;
}

/** Sessions whose database is remembered: a commit does not name one. */
const SESSIONS_KEPT = 10_000;
const CODE_NAMES: Readonly<Record<number, string>> = {
  6: 'HostUnreachable',
  7: 'HostNotFound',
  24: 'LockTimeout',
  43: 'CursorNotFound',
  50: 'MaxTimeMSExpired',
  64: 'WriteConcernTimeout',
  89: 'NetworkTimeout',
  91: 'ShutdownInProgress',
  100: 'UnsatisfiableWriteConcern',
  112: 'WriteConflict',
  133: 'FailedToSatisfyReadPreference',
  134: 'ReadConcernMajorityNotAvailableYet',
  189: 'PrimarySteppedDown',
  202: 'NetworkInterfaceExceededTimeLimit',
  246: 'SnapshotUnavailable',
  251: 'NoSuchTransaction',
  262: 'ExceededTimeLimit',
  365: 'TemporarilyUnavailable',
  462: 'IngressRequestRateLimitExceeded',
  9001: 'SocketException',
  10107: 'NotWritablePrimary',
  11600: 'InterruptedAtShutdown',
  11601: 'Interrupted',
  11602: 'InterruptedDueToReplStateChange',
  13388: 'StaleConfig',
  13435: 'NotPrimaryNoSecondaryOk',
  13436: 'NotPrimaryOrSecondary',
};

/** The fail points that tests set by `configureFailPoint`: MongoDB's `failCommand`, one for each database. */
export class FailPoints {
  readonly #points = new Map<string, FailPoint>();
  readonly #databases = new LRUCache<string, string>({ max: SESSIONS_KEPT });

  /** `configureFailPoint`. @throws MongoError BadValue for another fail point, mode or no commands */
  configure(command: Command): Reply {
    const { mode, data } = BSON.deserialize(command.body) as { mode?: Mode; data?: Failure };
    if (command.target !== 'failCommand')
      throw new MongoError(2, 'BadValue', `no fail point ${String(command.target)}`);
    const place = data?.database ?? '';
    if (mode === 'off') {
      this.#points.delete(place);
      return { ok: 1 };
    }
    const times = mode === 'alwaysOn' ? Infinity : (mode?.times ?? (mode?.skip === undefined ? undefined : Infinity));
    if (times === undefined || !Array.isArray(data?.failCommands)) {
      throw new MongoError(
        2,
        'BadValue',
        'failCommand takes mode off, alwaysOn, {times} or {skip}, and data.failCommands',
      );
    }
    const skip = typeof mode === 'object' ? (mode.skip ?? 0) : 0;
    this.#points.set(place, { failure: data, skip, times });
    return { ok: 1 };
  }

  /**
   * Has the command fail, if a fail point is set for it.
   * @returns what to add to the reply of a command that is run all the same
   * @throws MongoError the injected one; the connection may be gone then
   */
  async apply(command: Command): Promise<Document> {
    const database = this.#databaseOf(command);
    if (this.#points.size === 0) return {};
    const failure = this.#taken(command, database);
    if (failure === undefined) return {};
    if (failure.blockConnection === true) await sleep(failure.blockTimeMS ?? 0);
    if (failure.closeConnection === true) {
      command.connection.socket.destroy();
      throw new MongoError(9001, 'SocketException', 'closed by the fail point');
    }
    const { errorCode: code, writeConcernError } = failure;
    if (code !== undefined) {
      const labels = failure.errorLabels ?? errorLabels(code, command);
      throw new MongoError(code, CODE_NAMES[code] ?? `Location${code}`, "failing command via 'failCommand'", labels);
    }
    if (writeConcernError === undefined) return {};
    const labels = failure.errorLabels ?? errorLabels(Number(writeConcernError['code']), command);
    return { writeConcernError, ...(labels.length > 0 ? { errorLabels: labels } : {}) };
  }

  #taken(command: Command, database: string): Failure | undefined {
    for (const point of [this.#points.get(database), this.#points.get('')]) {
      if (point === undefined || !matches(point.failure, command)) continue;
      if (point.skip > 0) {
        point.skip -= 1;
      } else if (point.times > 0) {
        point.times -= 1;
        return point.failure;
      }
    }
    return undefined;
  }

  #databaseOf({ db, session }: Command): string {
    if (session === null) return db;
    if (db === 'admin') return this.#databases.get(session) ?? db;
    this.#databases.set(session, db);
    return db;
  }
}

function matches({ failCommands, namespace }: Failure, { name, db, target }: Command): boolean {
  if (name === 'configureFailPoint' || !failCommands.includes(name)) return false;
  return namespace === undefined || namespace === `${db}.${String(target)}`;
}
