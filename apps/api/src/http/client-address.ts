import { AllowedIps, parseAddress } from '#kernel';

/** Far more than the longest address with decent space about it: what is longer is rubbish, and not worth a search. */
const LONGEST_HOP = 100;

function addressOfHop(hop: string): string | undefined {
  if (hop.length > LONGEST_HOP) return undefined;
  // RFC 9110 5.6.1: space and tab may stand about a list's members, nothing else
  return parseAddress(hop.replace(/^[ \t]+|[ \t]+$/g, ''));
}

/** The proxies whose X-Forwarded-For is believed, and the caller's address that follows from it. */
export class TrustedProxies {
  private readonly ranges: AllowedIps | undefined;

  /** @param cidrs canonical ranges; none means that no header is believed. */
  constructor(cidrs: readonly string[]) {
    // an empty AllowedIps admits everyone, which here would be to trust everyone
    this.ranges = cidrs.length === 0 ? undefined : new AllowedIps(cidrs);
  }

  /**
   * The caller's canonical address: the rightmost hop that is no trusted proxy, counting the socket's peer as the last hop;
   * the leftmost where all are trusted. A header from a peer that is not trusted is ignored.
   * @param socketAddress the peer's address as the socket reports it
   * @param forwardedFor the X-Forwarded-For lines in their order
   * @returns undefined where there is no address, or a hop that has to be believed is none
   */
  clientAddress(socketAddress: string | undefined, forwardedFor: readonly string[]): string | undefined {
    let address = socketAddress === undefined ? undefined : parseAddress(socketAddress);
    if (address === undefined || this.ranges === undefined || forwardedFor.length === 0) return address;
    // RFC 9110 5.3: several lines of one name are one comma-separated list
    const hops = forwardedFor.join(',').split(',');
    while (address !== undefined && this.ranges.admits(address)) {
      const hop = hops.pop();
      if (hop === undefined) return address;
      address = addressOfHop(hop);
    }
    return address;
  }
}
