/**
 * IP addresses and ranges: one strict parser, canonical text, comparison. Lenient parsers disagree: `010.0.0.1` is
 * 8.0.0.1 to some. Accepts RFC 6943 3.1.1 strict IPv4 and RFC 4291 2.2 IPv6; mapped addresses (2.5.5.2) become IPv4.
 */

/** A fault in an address or a range. `publicMessage` says what to do and never contains the submitted text. */
export class AddressError extends Error {
  override readonly name = 'AddressError';

  constructor(readonly publicMessage: string) {
    super(publicMessage);
  }
}

/** A range of addresses; a single address is a range with the longest prefix. */
export interface ParsedRange {
  /** Canonical text: no `/32` or `/128`, IPv6 in the form of RFC 5952 section 4. */
  readonly text: string;
  readonly family: 4 | 6;
  /** Prefix length in bits, 1…32 or 1…128. */
  readonly prefix: number;
  /** The first address as unsigned 32-bit words, the most significant first: one for IPv4, four for IPv6. */
  readonly words: readonly number[];
}

interface Address {
  readonly family: 4 | 6;
  readonly words: readonly number[];
}

/** A full IPv6 range with a dotted tail. Longer text is rejected without parsing. */
const MAX_TEXT_LENGTH = 49;
const WORD_BITS = 32;
const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;

const SYNTAX_MESSAGE =
  'Write an IPv4 or IPv6 address in its plain form, or a range such as 192.0.2.0/24 or 2001:db8::/32.';
const EVERYTHING_MESSAGE = 'A range must not contain every address. To allow any address, leave the list empty.';
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

/** Reads hexadecimal groups with at most one `::`. Returns eight groups. */
function readHexIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0] ?? '');
  const tail = readGroups(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // RFC 4291 2.2: `::` replaces one group or more; without it there are exactly eight
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

/** Reads IPv6 text. A dotted tail is accepted in IPv4-mapped addresses only; these are returned as IPv4. */
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
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  if (text.includes(':')) return readIpv6(text);
  const value = readIpv4(text);
  return value < 0 ? undefined : { address: { family: 4, words: [value] }, mapped: false };
}

/**
 * RFC 5952 4: lower case, no leading zeros, `::` for the longest run of two or more zero groups (the first if equal).
 */
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

/** A 32-bit mask with the first `bits` set. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= WORD_BITS ? 0xffffffff : (0xffffffff << (WORD_BITS - bits)) >>> 0;
}

/** The masks of an address's words for a prefix of this length. */
export function masksOf(prefix: number, family: 4 | 6): number[] {
  return Array.from({ length: family === 4 ? 1 : 4 }, (_, word) => maskOf(prefix - word * WORD_BITS));
}

function readPrefix(text: string, mapped: boolean, family: 4 | 6): number {
  // an IPv4-mapped address has 128 bits in text, and its prefix counts these
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
 * @throws AddressError when it is neither, has host bits set (the message names the correct range), or contains every
 * address
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
    throw new AddressError(`The range has host bits set. Write ${canonical}.`);
  }
  return { text: canonical, family: address.family, prefix, words };
}

/** The canonical text of an address (IPv4-mapped IPv6 as IPv4), or undefined when the text is not an address. */
export function parseAddress(text: string): string | undefined {
  const read = readAddress(text);
  return read === undefined ? undefined : formatAddress(read.address);
}

interface CompiledRange {
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/** Allowed IPs, parsed once for many comparisons. */
export class AllowedIps {
  private readonly unrestricted: boolean;
  private readonly ipv4: CompiledRange[] = [];
  private readonly ipv6: CompiledRange[] = [];

  /**
   * @param canonical the entries; an empty list allows any address
   * @throws AddressError on a faulty entry: skipping it could leave an empty list, which allows any address
   */
  constructor(canonical: readonly string[]) {
    this.unrestricted = canonical.length === 0;
    for (const entry of canonical) {
      const { family, prefix, words } = parseAllowedIp(entry);
      (family === 4 ? this.ipv4 : this.ipv6).push({ words, masks: masksOf(prefix, family) });
    }
  }

  /** Whether a caller from this address is allowed. False for text that is not an address. */
  admits(address: string): boolean {
    const read = readAddress(address);
    if (read === undefined) return false;
    if (this.unrestricted) return true;
    const { family, words } = read.address;
    // separate families: ::/8 must not match IPv4 addresses
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
