import { holdsEveryAddress } from './address-union.ts';
import { AddressError, parseAllowedIp } from './addresses.ts';
import type { ParsedRange } from './addresses.ts';

const FORGEABLE = ", so any caller could forge its own address: list the proxies' ranges instead";

/**
 * Reads the `TRUSTED_PROXIES` setting: CIDR ranges and addresses, comma-separated. Empty text trusts no proxy.
 * @returns the canonical ranges, duplicates merged
 * @throws Error that says what to write, for `true` or a hop count (both trust a header that a caller can forge), a
 * faulty range, or ranges that together contain every address
 */
export function parseTrustedProxies(text: string): string[] {
  if (text.trim() === '') return [];
  const ranges = new Map<string, ParsedRange>();
  for (const [index, part] of text.split(',').entries()) {
    const entry = part.trim();
    if (/^(?:true|false|yes|no|on|off|all|\*)$/i.test(entry) || /^[+-]?[0-9]+$/.test(entry)) {
      throw new Error(
        'must list the proxies by CIDR range, such as 10.0.0.0/8,192.0.2.7: ' +
          'a switch or a hop count would trust a header that any caller can forge',
      );
    }
    try {
      const range = parseAllowedIp(entry);
      ranges.set(range.text, range);
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      // the parser's advice to leave the list empty is for Allowed IPs; here an empty list trusts no proxy
      const everything = /^[0-9a-f:.]+\/0$/i.test(entry);
      throw new Error(
        everything
          ? `entry ${index + 1} trusts every address${FORGEABLE}`
          : `entry ${index + 1} is not a CIDR range: ${error.publicMessage}`,
        { cause: error },
      );
    }
  }
  if (holdsEveryAddress([...ranges.values()])) {
    throw new Error(`the entries together trust every address${FORGEABLE}`);
  }
  return [...ranges.keys()];
}
