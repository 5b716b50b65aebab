import { AllowedIps, parseAddress } from '#kernel';

/** Longer than any address with a port and white space; anything longer is refused unread. */
const MAX_HOP_LENGTH = 100;

// Azure Application Gateway and IIS write a port after IPv4, AWS and HAProxy can be set to; IPv6 then needs brackets
const IPV4_WITH_PORT = /^([0-9.]{7,15}):([0-9]{1,5})$/;
const BRACKETED_IPV6 = /^\[([^\]]*:[^\]]*)\](?::([0-9]{1,5}))?$/;
const MAX_PORT = 65_535;

/** Why no address can be read, for the log. It describes the text and never repeats it. */
export interface AddressFault {
  readonly reason: string;
  /** The text with each digit as `0` and each letter as `a`. */
  readonly shape?: string;
}

/** The trusted proxies, and the caller's address that follows from their X-Forwarded-For. */
export class TrustedProxies {
  private readonly ranges: AllowedIps | undefined;

  /** @param cidrs canonical ranges; without any, no header is believed. */
  constructor(cidrs: readonly string[]) {
    // an empty AllowedIps admits everyone, which here would be to trust everyone
    this.ranges = cidrs.length === 0 ? undefined : new AllowedIps(cidrs);
  }

  /**
   * The caller's canonical address: the rightmost hop that is not a trusted proxy, counting the socket's peer as the last hop;
   * the leftmost where all are trusted. A header from a peer that is not trusted is ignored.
   * @param socketAddress the peer's address as the socket reports it
   * @param forwardedFor the X-Forwarded-For lines in their order
   * @returns the fault if the peer's address, or a hop that has to be believed, cannot be read
   */
  clientAddress(socketAddress: string | undefined, forwardedFor: readonly string[]): string | AddressFault {
    const peer = socketAddress === undefined ? undefined : parseAddress(socketAddress);
    if (peer === undefined) return { reason: 'the connection has no IP address' };
    if (this.ranges === undefined || forwardedFor.length === 0) return peer;
    // RFC 9110 5.3: several lines of one name are one comma-separated list
    const hops = forwardedFor.join(',').split(',');
    const { length } = hops;
    for (let address = peer; ;) {
      const hop = this.ranges.admits(address) ? hops.pop() : undefined;
      if (hop === undefined) return address;
      const next = addressOfHop(hop);
      if (next === undefined) return faultOf(hop, length - hops.length, length);
      address = next;
    }
  }
}

function addressOfHop(text: string): string | undefined {
  if (text.length > MAX_HOP_LENGTH) return undefined;
  // RFC 9110 5.6.1: only spaces and tabs may surround the members of a list
  const hop = text.replace(/^[ \t]+|[ \t]+$/g, '');
  const [, host, port] = IPV4_WITH_PORT.exec(hop) ?? BRACKETED_IPV6.exec(hop) ?? [];
  if (host === undefined) return parseAddress(hop);
  return port === undefined || Number(port) <= MAX_PORT ? parseAddress(host) : undefined;
}

function faultOf(text: string, fromTheRight: number, entries: number): AddressFault {
  const entry = `entry ${fromTheRight} from the right, of ${entries}, in X-Forwarded-For`;
  const hop = text.trim();
  if (hop === '') return { reason: `${entry} is empty` };
  if (text.length > MAX_HOP_LENGTH) return { reason: `${entry} is longer than ${MAX_HOP_LENGTH} characters` };
  // an address must stay recognisable, a secret in the wrong header must not
  const shape = hop.replace(/[0-9]/g, '0').replace(/[A-Za-z]/g, 'a').replace(/[^ -~]/g, '?'); // prettier-ignore
  return { reason: `${entry} is not an IP address, alone or with a port`, shape };
}
