import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { Checkpoint } from '../checkpoints.ts';
import type { ProofFault } from '../reading/chain-proof.ts';

/** What became of the chains that were to be signed. */
export interface SigningReport {
  /** How many chains are signed up to their ends now. */
  readonly signed: number;
  /** How many of those had been before. */
  readonly upToDate: number;
  /** The new checkpoints; the first hundred, if there are more. */
  readonly items: readonly Checkpoint[];
  /** Chains that were not signed, since they are not whole. */
  readonly faults: readonly (ProofFault & { readonly operationId: string | null })[];
}

/**
 * Signs chains as they stand, each after it was verified from its last checkpoint on.
 *
 * @throws DomainError `not-found` for a chain that does not exist, `signing-unavailable`, `store-unavailable`
 */
export class SignCheckpointsCommand extends Command<SigningReport> {
  /**
   * @param context who asks; left out by the schedule, which tells no event
   * @param chain its name; all chains when left out
   */
  constructor(
    readonly context?: CallContext,
    readonly chain?: string,
  ) {
    super();
  }
}
