import { DomainError } from './domain-error.ts';
import type { FieldFault } from './domain-error.ts';

type Check = () => unknown;

/**
 * Runs every check and reports all faults of the input in one error.
 *
 * @throws DomainError with all faults. Its code is that of the checks if they agree on one, else `validation`
 */
export async function checkAll(...checks: readonly Check[]): Promise<void> {
  const found = await refusalsOf(checks);
  const [first] = found;
  if (first === undefined) return;
  if (found.length === 1) throw first;
  const errors = found.flatMap((error) => error.errors ?? []);
  if (found.every(({ code }) => code === first.code)) {
    throw new DomainError(first.code, first.publicDetail, { errors });
  }
  throw new DomainError('validation', 'The request is not valid. See `errors`.', { errors });
}

/** Every fault that the checks find. */
export async function faultsOf(...checks: readonly Check[]): Promise<FieldFault[]> {
  return (await refusalsOf(checks)).flatMap((error) => error.errors ?? []);
}

/**
 * Runs the checks one after the other, because they may share a transaction. Reports the first fault of each member.
 */
async function refusalsOf(checks: readonly Check[]): Promise<DomainError[]> {
  const found: DomainError[] = [];
  for (const check of checks) {
    try {
      await check();
    } catch (error) {
      // an error without members, such as an unavailable store, is not a fault of the input
      if (!(error instanceof DomainError) || error.errors === undefined) throw error;
      const told = new Set(found.flatMap(({ errors = [] }) => errors).map(({ pointer }) => pointer));
      const errors = error.errors.filter(({ pointer }) => !told.has(pointer));
      if (errors.length > 0) found.push(new DomainError(error.code, error.publicDetail, { errors }));
    }
  }
  return found;
}
