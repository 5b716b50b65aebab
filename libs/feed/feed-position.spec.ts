import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { START_OF_LOG, decodePosition, encodePosition } from './feed-position.ts';

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length });

describe('the position of a follower', () => {
  it('survives its encoding', () => {
    const ends = fc.array(fc.tuple(hex(12), fc.record({ seq: fc.maxSafeNat(), mark: hex(6) })), { maxLength: 50 });
    const refusals = fc.option(
      fc.record({
        minute: fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
        id: fc.stringMatching(/^ev_[A-Za-z0-9]{1,32}$/),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(ends, hex(12), refusals, (entries, turn, refusal) => {
        const position = { ends: new Map(entries), turn, refusals: refusal };
        expect(decodePosition(encodePosition(position))).toEqual(position);
      }),
    );
  });

  it('takes at most thirteen bytes a chain for chains of up to 200 million events', () => {
    const ends = new Map(
      Array.from({ length: 100 }, (_, n) => [String(n).padStart(12, '0'), { seq: 200_000_000, mark: 'abcdef' }]),
    );
    const size = encodePosition({ ...START_OF_LOG, ends }).length - encodePosition(START_OF_LOG).length;
    expect(size).toBe(1_300);
  });

  it('of another version is not read', () => {
    expect(decodePosition(Buffer.from([2, 0, 0]))).toBeUndefined();
    expect(decodePosition(Buffer.alloc(0))).toBeUndefined();
  });
});
