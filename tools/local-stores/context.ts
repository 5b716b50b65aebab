import type { Say } from './debian.ts';
import type { Ledger } from './ledger.ts';

/** What starting a store needs to know. */
export interface StoreContext {
  /** where stores keep their data */
  readonly dataFolder: string;
  /** where downloaded programs are kept */
  readonly binariesFolder: string;
  /** false for tests: speed before safety, and no data are kept */
  readonly durable: boolean;
  readonly ledger: Ledger;
  readonly say: Say;
}
