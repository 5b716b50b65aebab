import { AllowedIps, parseAddress } from '#kernel';

/** Longer than any address with port and white space. Longer text is rejected without parsing. */
const MAX_HOP_LENGTH = 100;

// Azure Application Gateway and IIS add a port to IPv4, AWS and HAProxy optionally; IPv6 then needs brackets
const IPV4_WITH_PORT = /^([0-9.]{7,15}):([0-9]{1,5})$/;
const BRACKETED_IPV6 = /^\[([^\]]*:[^\]]*)\](?::([0-9]{1,5}))?$/;
const MAX_PORT = 65_535;

/** Why an address cannot be read, for the log. Describes the text and never repeats it. */
export interface AddressFault {
  readonly reason: string;
  /** The text with each digit as `0` and each letter as `a`. */
  readonly shape?: string;
}

/** Finds the caller's address in the X-Forwarded-For of trusted proxies. */
export class TrustedProxies {
  private readonly ranges: AllowedIps | undefined;

  /** @param cidrs canonical ranges; if empty, the header is ignored */
  constructor(cidrs: readonly string[]) {
    // an empty AllowedIps admits everyone, which would mean to trust everyone
    this.ranges = cidrs.length === 0 ? undefined : new AllowedIps(cidrs);
  }

  /**
   * The caller's canonical address: the rightmost hop that is not a trusted proxy (the peer is the last hop), or the
   * leftmost if all are trusted. The header of an untrusted peer is ignored.
   * @param socketAddress the peer's address as the socket reports it
   * @param forwardedFor the X-Forwarded-For lines in their order
   * @returns a fault if the address of the peer or of a relevant hop cannot be read
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
  // keep an address recognisable, but not a secret in the wrong header
  const shape = hop.replace(/[0-9]/g, '0').replace(/[A-Za-z]/g, 'a').replace(/[^ -~]/g, '?'); // prettier-ignore
  return { reason: `${entry} is not an IP address, alone or with a port`, shape };
}
