/**
 * IP addresses and ranges: the one strict parser, the canonical text, and the comparison.
 *
 * Strict, because lenient readers disagree with each other: `010.0.0.1` is 8.0.0.1 to one and 10.0.0.1 to the next. Only
 * four plain decimal octets are IPv4 here (RFC 6943 3.1.1, the strict form), and only RFC 4291 2.2 text is IPv6; a dotted
 * tail is taken in IPv4-mapped addresses alone. An IPv4-mapped address (RFC 4291 2.5.5.2) is the IPv4 address it maps.
 */

/** A fault in an address or a range. `publicMessage` says what to do, and never holds the submitted text. */
export class AddressError extends Error {
  override readonly name = 'AddressError';

  constructor(readonly publicMessage: string) {
    super(publicMessage);
  }
}

/** A range of addresses; a single address is a range with the longest prefix. */
export interface ParsedRange {
  /** Canonical text: no `/32` or `/128`, IPv6 as RFC 5952 section 4 writes it. */
  readonly text: string;
  readonly family: 4 | 6;
  /** Bits, 1…32 or 1…128. */
  readonly prefix: number;
  /** The first address as unsigned 32-bit words, the most significant first: one for IPv4, four for IPv6. */
  readonly words: readonly number[];
}

interface Address {
  readonly family: 4 | 6;
  readonly words: readonly number[];
}

/** Long enough for a full IPv6 range with a dotted tail; longer text is refused unread. */
const LONGEST_TEXT = 49;
const WORD_BITS = 32;
const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;

const SYNTAX_MESSAGE =
  'Write an IPv4 or IPv6 address in its plain form, or a range such as 192.0.2.0/24 or 2001:db8::/32.';
const EVERYTHING_MESSAGE = 'A range may not hold every address: leave the list empty to allow any address.';
const MAPPED_MESSAGE = 'Write a range of IPv4 addresses in IPv4 form, such as 192.0.2.0/24.';

/** Reads four decimal octets without leading zeros; -1 if the text is anything else. */
function readIpv4(text: string): number {
  let value = 0;
  let octet = 0;
  let digits = 0;
  let octets = 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x2e) {
      if (digits === 0 || octets === 4) return -1;
      value = value * 256 + octet;
      octets += 1;
      octet = 0;
      digits = 0;
      continue;
    }
    if (code < 0x30 || code > 0x39 || (digits > 0 && octet === 0)) return -1;
    octet = octet * 10 + code - 0x30;
    digits += 1;
    if (octet > 255) return -1;
  }
  return digits === 0 || octets !== 4 ? -1 : value * 256 + octet;
}

function readGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  for (const part of text.split(':')) {
    if (!GROUP.test(part)) return undefined;
    groups.push(Number.parseInt(part, 16));
  }
  return groups;
}

/** Reads hexadecimal groups with at most one `::`; gives eight groups. */
function readHexIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0] ?? '');
  const tail = readGroups(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // RFC 4291 2.2: `::` stands for one group or more, and without it there are exactly eight
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

function wordsOf(groups: readonly number[]): number[] {
  const words: number[] = [];
  for (let at = 0; at < 8; at += 2) words.push((groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0));
  return words;
}

/** Reads IPv6 text; a dotted tail only where the address is IPv4-mapped, and then or else the IPv4 address it maps. */
function readIpv6(text: string): { address: Address; mapped: boolean } | undefined {
  let hex = text;
  const dotted = text.includes('.');
  if (dotted) {
    const tailAt = text.lastIndexOf(':') + 1;
    const tail = readIpv4(text.slice(tailAt));
    if (tail < 0) return undefined;
    hex = `${text.slice(0, tailAt)}${(tail >>> 16).toString(16)}:${(tail & 0xffff).toString(16)}`;
  }
  const groups = readHexIpv6(hex);
  if (groups === undefined) return undefined;
  const mapped = isMapped(groups);
  if (dotted && !mapped) return undefined;
  const words = wordsOf(groups);
  return { address: mapped ? { family: 4, words: words.slice(3) } : { family: 6, words }, mapped };
}

function readAddress(text: string): { address: Address; mapped: boolean } | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  if (text.includes(':')) return readIpv6(text);
  const value = readIpv4(text);
  return value < 0 ? undefined : { address: { family: 4, words: [value] }, mapped: false };
}

/** RFC 5952 section 4: lower case, no leading zeros, `::` for the longest run of two or more zero groups, the first of equals. */
function formatIpv6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let runAt = -1;
  let runLength = 1;
  for (let at = 0; at < groups.length; at += 1) {
    let end = at;
    while (groups[end] === 0) end += 1;
    if (end - at > runLength) {
      runAt = at;
      runLength = end - at;
    }
    if (end > at) at = end;
  }
  const hex = groups.map((group) => group.toString(16));
  if (runAt < 0) return hex.join(':');
  return `${hex.slice(0, runAt).join(':')}::${hex.slice(runAt + runLength).join(':')}`;
}

function formatAddress({ family, words }: Address): string {
  if (family === 6) return formatIpv6(words);
  const value = words[0] ?? 0;
  return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}`;
}

/** The mask of one 32-bit word of which the first `bits` count. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= WORD_BITS ? 0xffffffff : (0xffffffff << (WORD_BITS - bits)) >>> 0;
}

/** The masks of an address's words of which the first `prefix` bits count. */
export function masksOf(prefix: number, family: 4 | 6): number[] {
  return Array.from({ length: family === 4 ? 1 : 4 }, (_, word) => maskOf(prefix - word * WORD_BITS));
}

function readPrefix(text: string, mapped: boolean, family: 4 | 6): number {
  // an IPv4-mapped address is written in 128 bits, so its prefix counts those
  const width = mapped || family === 6 ? 128 : 32;
  const prefix = PREFIX.test(text) ? Number(text) : -1;
  if (prefix < 0 || prefix > width) {
    throw new AddressError(
      `The part after the slash must be a prefix length from 1 to ${width}, in digits without a leading zero.`,
    );
  }
  if (!mapped) return prefix;
  if (prefix < 96) throw new AddressError(MAPPED_MESSAGE);
  return prefix - 96;
}

/**
 * Reads one entry of Allowed IPs: an address or a CIDR range.
 * @throws AddressError when it is neither, has host bits set (the message gives the range to write), or holds every address.
 */
export function parseAllowedIp(text: string): ParsedRange {
  const slash = text.indexOf('/');
  const read = readAddress(slash < 0 ? text : text.slice(0, slash));
  if (read === undefined) throw new AddressError(SYNTAX_MESSAGE);
  const { address, mapped } = read;
  const width = address.family === 4 ? 32 : 128;
  const prefix = slash < 0 ? width : readPrefix(text.slice(slash + 1), mapped, address.family);
  if (prefix === 0) throw new AddressError(EVERYTHING_MESSAGE);
  const masks = masksOf(prefix, address.family);
  const words = address.words.map((word, at) => (word & (masks[at] ?? 0)) >>> 0);
  const first = formatAddress({ family: address.family, words });
  const canonical = prefix === width ? first : `${first}/${prefix}`;
  if (words.some((word, at) => word !== address.words[at])) {
    throw new AddressError(`The range has host bits set: write ${canonical}.`);
  }
  return { text: canonical, family: address.family, prefix, words };
}

/** The canonical text of a caller's address (IPv4-mapped IPv6 as IPv4), or undefined when it is no address. */
export function parseAddress(text: string): string | undefined {
  const read = readAddress(text);
  return read === undefined ? undefined : formatAddress(read.address);
}

interface CompiledRange {
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/** Allowed IPs made ready for comparison, once for many callers. */
export class AllowedIps {
  private readonly unrestricted: boolean;
  private readonly ipv4: CompiledRange[] = [];
  private readonly ipv6: CompiledRange[] = [];

  /**
   * @param canonical the entries; none means any address.
   * @throws AddressError on a faulty entry: dropping it could leave an empty list, which admits everyone.
   */
  constructor(canonical: readonly string[]) {
    this.unrestricted = canonical.length === 0;
    for (const entry of canonical) {
      const { family, prefix, words } = parseAllowedIp(entry);
      (family === 4 ? this.ipv4 : this.ipv6).push({ words, masks: masksOf(prefix, family) });
    }
  }

  /** Whether the caller at this address is let in; text that is no address never is. */
  admits(address: string): boolean {
    const read = readAddress(address);
    if (read === undefined) return false;
    if (this.unrestricted) return true;
    const { family, words } = read.address;
    // the families are kept apart, so that ::/8 says nothing about IPv4
    return family === 4 ? this.admitsIpv4(words[0] ?? 0) : this.admitsIpv6(words);
  }

  private admitsIpv4(word: number): boolean {
    for (const range of this.ipv4) {
      if ((word & (range.masks[0] ?? 0)) >>> 0 === range.words[0]) return true;
    }
    return false;
  }

  private admitsIpv6(words: readonly number[]): boolean {
    return this.ipv6.some((range) =>
      words.every((word, at) => (word & (range.masks[at] ?? 0)) >>> 0 === range.words[at]),
    );
  }
}
