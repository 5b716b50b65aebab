import type { mongo } from 'mongoose';
import { CODE, ignoreError } from './mongo-error-code.ts';
import { LayoutSteps } from './layout-steps.ts';
import { MigrationLease } from './migration-lease.ts';
import type { LeaseTimes } from './migration-lease.ts';
import { RECORDS } from './migration-record.ts';
import type { MigrationRecord } from './migration-record.ts';
import type { Migration } from './migration.ts';

/** Runs the pending migrations of a database. If several processes do so at the same time, all but one wait. */
export class Migrator {
  private readonly records: mongo.Collection<MigrationRecord>;

  constructor(
    private readonly db: mongo.Db,
    private readonly migrations: readonly Migration[],
    private readonly say: (line: string) => void,
    private readonly times?: LeaseTimes,
  ) {
    this.records = db.collection<MigrationRecord>(RECORDS);
  }

  /** @returns the number of migrations that this process ran */
  async run(): Promise<number> {
    await ignoreError(CODE.namespaceExists, this.db.createCollection(RECORDS));
    if ((await this.pending()).length === 0) return 0;
    const lease = new MigrationLease(this.records, this.times);
    const isDone = async (): Promise<boolean> => (await this.pending()).length === 0;
    if (!(await lease.acquire(isDone, () => this.say('another process is migrating this database; waiting')))) return 0;
    try {
      const pending = await this.pending();
      for (const migration of pending) await this.apply(migration, lease.signal);
      return pending.length;
    } finally {
      await lease.release();
    }
  }

  private async pending(): Promise<Migration[]> {
    const done = await recordedNumbers(this.records);
    return this.migrations.filter(({ number }) => !done.has(number));
  }

  private async apply(migration: Migration, signal: AbortSignal): Promise<void> {
    const { number, name } = migration;
    const say = (line: string): void => this.say(`migration ${number} (${name}): ${line}`);
    say('started');
    await migration.run(new LayoutSteps(this.db, say, signal));
    signal.throwIfAborted();
    // a process that lost its lease without noticing may have recorded it first
    await ignoreError(CODE.duplicateKey, this.records.insertOne({ _id: number, name, at: new Date() }));
    say('done');
  }
}

/** The numbers of the migrations that have run. */
export async function recordedNumbers(records: mongo.Collection<MigrationRecord>): Promise<Set<number>> {
  const rows = await records.find({ _id: { $gt: 0 } }, { projection: { _id: 1 } }).toArray();
  return new Set(rows.map(({ _id }) => Number(_id)));
}
