import type { RefusalReason } from '#event-types';

/** How often something was seen, and when last. */
export interface Sighting {
  count: number;
  lastMs: number;
  /** Whether the store knows that it was seen in this hour; false while absent. */
  isNoted?: boolean;
}

/** The use of one credential within one hour, as one instance counted it. */
export class HourUsage {
  issued = 0;
  used = 0;
  /** Grows with each change. A write of an older revision must not replace a newer one. */
  revision = 0;
  /** The revision that the store has. */
  writtenRevision = 0;
  /** When a token was last issued or used; 0 for never. */
  lastUsedMs = 0;
  readonly refused = new Map<RefusalReason, number>();
  readonly addresses = new Map<string, Sighting>();
  readonly apis = new Map<string, Sighting>();
  readonly secrets = new Map<string, Sighting>();

  constructor(
    /** A new one for each object, so that no two instances or runs write the same document. */
    readonly id: string,
    readonly credentialId: string,
    /** When the hour begins. */
    readonly atMs: number,
  ) {}

  get isWritten(): boolean {
    return this.revision === this.writtenRevision;
  }

  /** The number of its counters, with one for itself. */
  get size(): number {
    return 1 + this.refused.size + this.addresses.size + this.apis.size + this.secrets.size;
  }
}
