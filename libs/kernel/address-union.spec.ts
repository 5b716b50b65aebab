import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { holdsEveryAddress, unionOf } from './address-union.ts';
import type { Block } from './address-union.ts';
import { masksOf, parseAllowedIp } from './addresses.ts';

const blocks = (...texts: string[]): Block[] => texts.map(parseAllowedIp);
const shown = (union: readonly Block[]): string[] =>
  union.map(({ words, prefix }) => `${words.map((word) => word.toString(16)).join(':')}/${prefix}`);

const family = fc.constantFrom<4 | 6>(4, 6);
const everything = (of: 4 | 6): Block => ({ family: of, prefix: 0, words: of === 4 ? [0] : [0, 0, 0, 0] });

/** The two halves of a block. */
function halves({ family: of, prefix, words }: Block): [Block, Block] {
  const bit = 1 << (31 - (prefix % 32));
  const right = words.map((word, at) => (at === Math.floor(prefix / 32) ? (word | bit) >>> 0 : word));
  return [
    { family: of, prefix: prefix + 1, words },
    { family: of, prefix: prefix + 1, words: right },
  ];
}

/** Cuts one block after the other in two: any partition of everything comes of this. */
function partition(of: 4 | 6, cuts: readonly number[]): Block[] {
  const parts = [everything(of)];
  for (const cut of cuts) {
    const index = cut % parts.length;
    const part = parts[index]!;
    if (part.prefix < (of === 4 ? 32 : 128)) parts.splice(index, 1, ...halves(part));
  }
  return parts;
}

const cutsOf = (most: number) => fc.array(fc.nat(), { minLength: 1, maxLength: most });
const anyBlock = fc
  .tuple(family, fc.nat({ max: 128 }), fc.array(fc.nat({ max: 3 }), { minLength: 4, maxLength: 4 }))
  .map(([of, bits, parts]): Block => {
    const prefix = of === 4 ? bits % 9 : bits % 33;
    // few high bits, so that blocks meet
    const given = (of === 4 ? parts.slice(0, 1) : parts).map((part) => (part << 30) >>> 0);
    const masks = masksOf(prefix, of);
    return { family: of, prefix, words: given.map((word, at) => (word & (masks[at] ?? 0)) >>> 0) };
  });

describe('unionOf', () => {
  it('merges neighbours, drops what is contained, and keeps the families apart', () => {
    expect(shown(unionOf(blocks('10.0.0.0/9', '10.128.0.0/9', '10.1.2.3', '192.0.2.1')))).toEqual([
      'a000000/8',
      'c0000201/32',
    ]);
    expect(unionOf(blocks('0.0.0.0/1', '8000::/1'))).toHaveLength(2);
    expect(unionOf(blocks('128.0.0.0/1', '64.0.0.0/2'))).toHaveLength(2); // neighbours, but no halves of one block
    expect(unionOf([])).toEqual([]);
  });

  it('covers everything for any partition of everything, in any order, with any additional range', () => {
    fc.assert(
      fc.property(family, cutsOf(60), fc.array(anyBlock, { maxLength: 5 }), fc.nat(), (of, cuts, more, seed) => {
        const all = [...partition(of, cuts), ...more];
        const shuffled = all.map((block, index) => ({ block, at: (index * 7919 + seed) % 104_729 }));
        shuffled.sort((a, b) => a.at - b.at);
        expect(holdsEveryAddress(shuffled.map(({ block }) => block))).toBe(true);
      }),
    );
  });

  it('does not cover everything if one part is missing', () => {
    fc.assert(
      fc.property(family, cutsOf(60), fc.nat(), (of, cuts, gone) => {
        const parts = partition(of, cuts);
        parts.splice(gone % parts.length, 1);
        expect(holdsEveryAddress(parts)).toBe(false);
      }),
    );
  });

  it('contains the same addresses as the ranges, in the fewest blocks', () => {
    fc.assert(
      fc.property(fc.array(anyBlock, { maxLength: 12 }), anyBlock, (ranges, probe) => {
        const holds = (list: readonly Block[]): boolean =>
          list.some(
            ({ family: of, prefix, words }) =>
              of === probe.family &&
              masksOf(prefix, of).every((mask, at) => ((probe.words[at] ?? 0) & mask) >>> 0 === words[at]),
          );
        const union = unionOf(ranges);
        expect(holds(union)).toBe(holds(ranges));
        expect(unionOf(union)).toEqual(union);
        expect(union.length).toBeLessThanOrEqual(ranges.length);
      }),
    );
  });
});
