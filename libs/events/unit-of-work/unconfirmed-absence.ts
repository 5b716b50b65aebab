import { DomainError } from '#kernel';
import type { UnitResult } from './unit-result.ts';

/**
 * Delays a `not-found` of a command that takes rights away. The deletion that it saw could still be rolled back; only
 * the commit proves that a majority has it, and only after the lease is it in force everywhere.
 */
export class UnconfirmedAbsence {
  private error: DomainError | undefined;

  /** @param takesRights whether the command takes rights away; other commands fail immediately */
  constructor(private readonly takesRights: boolean) {}

  /** Call before each attempt. */
  reset(): void {
    this.error = undefined;
  }

  /** @returns an empty result. @throws the error unless it must be delayed */
  keep<T>(error: unknown): UnitResult<T> {
    if (!this.takesRights || !(error instanceof DomainError) || error.code !== 'not-found') throw error;
    this.error = error;
    return { value: undefined as T, pending: [] };
  }

  get isKept(): boolean {
    return this.error !== undefined;
  }

  /** Call after the commit and the lease. @throws DomainError `not-found` */
  throwIfAny(): void {
    if (this.error !== undefined) throw this.error;
  }
}
