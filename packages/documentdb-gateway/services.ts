import type { AccessControl } from './access/access-control.ts';
import type { Command, Reply } from './command.ts';
import type { Cursors } from './cursors.ts';
import type { FailPoints } from './fail-points.ts';
import type { Database } from './postgres.ts';
import type { Statistics } from './statistics.ts';
import type { Transactions } from './transactions.ts';

/** What commands work with. */
export interface Services {
  readonly database: Database;
  readonly cursors: Cursors;
  readonly transactions: Transactions;
  readonly failPoints: FailPoints;
  readonly statistics: Statistics;
  /** null lets everybody do everything */
  readonly access: AccessControl | null;
}

/** One command: what it does, given the services. */
export type Handler = (services: Services, command: Command) => Promise<Reply> | Reply;
