import { digest, parseAllowedIp } from '#kernel';

/** The number of failed sign-ins after which the next one is refused. */
export interface GuessLimits {
  readonly perClient: number;
  readonly perAddress: number;
}

/** A counter of failed sign-ins, and its limit. */
export interface GuessCounter {
  /** A digest: the id may be a secret that was typed into the wrong field. */
  readonly key: string;
  readonly limit: number;
}

/** The counters of one sign-in. */
export interface GuessCounters {
  /** This id from this address, and from its network. */
  readonly pairs: readonly GuessCounter[];
  /** All ids from this address, and from its network. */
  readonly totals: readonly GuessCounter[];
}

/** A /48 has 65,536 networks of the size /64, each of which counts as one address. */
const SITE_FACTOR = 10;

/** @param address the canonical address, or another name of the caller's origin */
export function guessCounters(id: string, address: string, limits: GuessLimits): GuessCounters {
  const sources = sourcesOf(address);
  return {
    pairs: sources.map(({ name, factor }) => ({ key: digest(`${name}\n${id}`), limit: limits.perClient * factor })),
    totals: sources.map(({ name, factor }) => ({ key: digest(name), limit: limits.perAddress * factor })),
  };
}

/** The name under which an address is counted, for limits and for fairness. */
export function sourceOf(address: string): string {
  return sourcesOf(address)[0]?.name ?? address;
}

function sourcesOf(address: string): { readonly name: string; readonly factor: number }[] {
  if (!address.includes(':')) return [{ name: address, factor: 1 }];
  // RFC 6177: a site gets a /48 to a /64, so a single address says nothing about who calls
  const [high = 0, low = 0] = parseAllowedIp(address).words;
  return [
    { name: `${high.toString(16)}:${low.toString(16)}/64`, factor: 1 },
    { name: `${high.toString(16)}:${(low >>> 16).toString(16)}/48`, factor: SITE_FACTOR },
  ];
}
