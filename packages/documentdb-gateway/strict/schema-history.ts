import type { Command } from '../command.ts';
import { MongoError, TRANSIENT } from '../errors.ts';

/** Commands that change what a collection is. */
const CHANGES: ReadonlySet<string> = new Set(['create', 'createIndexes', 'drop', 'dropIndexes', 'collMod']);

/** When collections and indexes were made: a snapshot from before does not have them. */
export class SchemaHistory {
  #now = 0;
  readonly #changedAt = new Map<string, number>();

  /** A moment, to compare later changes with. */
  get now(): number {
    return this.#now;
  }

  /** Takes note of a command that was carried out, if it changed a collection. */
  note(command: Command): void {
    if (CHANGES.has(command.name)) this.#changedAt.set(namespaceOf(command), (this.#now += 1));
  }

  /**
   * Refuses a statement on a collection that was changed after its transaction began.
   * @throws MongoError SnapshotUnavailable, which makes drivers start the transaction again
   */
  check(command: Command, beganAt: number): void {
    if ((this.#changedAt.get(namespaceOf(command)) ?? 0) <= beganAt) return;
    const message = `Unable to read from a snapshot due to pending collection catalog changes of ${namespaceOf(command)}`;
    throw new MongoError(246, 'SnapshotUnavailable', message, [TRANSIENT]);
  }
}

function namespaceOf({ db, target }: Command): string {
  return `${db}.${String(target)}`;
}
