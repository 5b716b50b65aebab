import { masksOf } from './addresses.ts';
import type { ParsedRange } from './addresses.ts';

/** A block of addresses of one family. */
export type Block = Pick<ParsedRange, 'family' | 'prefix' | 'words'>;

/**
 * The fewest blocks that hold the same addresses. Width rules apply to these, because a wide range can be written in
 * narrow parts: `0.0.0.0/1` and `128.0.0.0/1` together are `0.0.0.0/0`.
 */
export function unionOf(ranges: readonly Block[]): Block[] {
  const union: Block[] = [];
  for (const range of [...ranges].sort(compareBlocks)) {
    const last = union.at(-1);
    if (last !== undefined && contains(last, range)) continue;
    union.push(range);
    mergeSiblings(union);
  }
  return union;
}

/** Whether the ranges contain all of IPv4 or all of IPv6. */
export function holdsEveryAddress(ranges: readonly Block[]): boolean {
  return unionOf(ranges).some(({ prefix }) => prefix === 0);
}

/** The prefix bits of the widest block of the family that the ranges hold together; undefined when they hold none. */
export function widestPrefix(ranges: readonly Block[], family: 4 | 6): number | undefined {
  const prefixes = unionOf(ranges.filter((range) => range.family === family)).map(({ prefix }) => prefix);
  return prefixes.length === 0 ? undefined : Math.min(...prefixes);
}

/** Orders by family, then first address, then the widest first. */
function compareBlocks(a: Block, b: Block): number {
  if (a.family !== b.family) return a.family - b.family;
  const at = a.words.findIndex((word, index) => word !== b.words[index]);
  return at < 0 ? a.prefix - b.prefix : (a.words[at] ?? 0) - (b.words[at] ?? 0);
}

function contains(outer: Block, inner: Block): boolean {
  return outer.family === inner.family && outer.prefix <= inner.prefix && sameStart(outer, inner, outer.prefix);
}

/** Replaces the last two blocks by their parent block, as long as they are its two halves. */
function mergeSiblings(union: Block[]): void {
  for (;;) {
    const [left, right] = union.slice(-2);
    if (left === undefined || right === undefined || left.family !== right.family) return;
    const prefix = left.prefix - 1;
    if (left.prefix !== right.prefix || prefix < 0 || !sameStart(left, right, prefix)) return;
    union.splice(-2, 2, { family: left.family, prefix, words: startOf(left, prefix) });
  }
}

function sameStart(a: Block, b: Block, bits: number): boolean {
  const start = startOf(b, bits);
  return startOf(a, bits).every((word, index) => word === start[index]);
}

function startOf({ family, words }: Block, bits: number): number[] {
  const masks = masksOf(bits, family);
  return words.map((word, index) => (word & (masks[index] ?? 0)) >>> 0);
}
