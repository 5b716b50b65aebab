import { holdsEveryAddress } from './address-union.ts';
import { AddressError, parseAllowedIp } from './addresses.ts';
import type { ParsedRange } from './addresses.ts';

/** One fault of a list of Allowed IPs. */
export interface AllowedIpFault {
  /** Position of the faulty entry, from 0; undefined when the list as a whole is at fault. */
  readonly index: number | undefined;
  readonly code: 'invalid-address' | 'every-address';
  /** Says what to do and never contains the submitted text. */
  readonly message: string;
}

/** All faults of a list of Allowed IPs. */
export class AllowedIpsError extends Error {
  override readonly name = 'AllowedIpsError';

  constructor(readonly faults: readonly AllowedIpFault[]) {
    super('the list of Allowed IPs is not valid');
  }
}

const EVERY_ADDRESS: AllowedIpFault = {
  index: undefined,
  code: 'every-address',
  message:
    'Together the ranges contain every address. To allow any address, leave the list empty; otherwise narrow the ranges.',
};

/**
 * The canonical form of a list of Allowed IPs: each entry canonical, duplicates merged, the order kept.
 *
 * @throws AllowedIpsError with every faulty entry, or when the ranges together contain every address of a family
 */
export function canonicalAllowedIps(list: readonly string[]): string[] {
  const ranges = new Map<string, ParsedRange>();
  const faults: AllowedIpFault[] = [];
  for (const [index, entry] of list.entries()) {
    try {
      const range = parseAllowedIp(entry);
      ranges.set(range.text, range);
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      faults.push({ index, code: 'invalid-address', message: error.publicMessage });
    }
  }
  if (holdsEveryAddress([...ranges.values()])) faults.push(EVERY_ADDRESS);
  if (faults.length > 0) throw new AllowedIpsError(faults);
  return [...ranges.keys()];
}
