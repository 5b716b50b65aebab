import { DomainError } from '#kernel';
import type { UnitResult } from './unit-result.ts';

/**
 * Keeps a `not-found` of a command that takes rights away until its transaction is committed. What a transaction did not find may have
 * been deleted by a write that is rolled back; that a majority has it is certain with the commit, and that it is in force, after the lease.
 */
export class UnconfirmedAbsence {
  private error: DomainError | undefined;

  /** @param takesRights whether the command does; others are told immediately */
  constructor(private readonly takesRights: boolean) {}

  /** Before each attempt. */
  reset(): void {
    this.error = undefined;
  }

  /** @returns nothing to write. @throws the error unless it is to be kept */
  keep<T>(error: unknown): UnitResult<T> {
    if (!this.takesRights || !(error instanceof DomainError) || error.code !== 'not-found') throw error;
    this.error = error;
    return { value: undefined as T, pending: [] };
  }

  get isKept(): boolean {
    return this.error !== undefined;
  }

  /** After the commit and the lease. @throws DomainError `not-found` */
  throwIfAny(): void {
    if (this.error !== undefined) throw this.error;
  }
}
