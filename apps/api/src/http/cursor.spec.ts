import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openCursor, sealCursor } from './cursor.ts';

const key = randomBytes(32);
const payload = { list: 'credentials', after: ['Zoë', '65f0'], limit: 20 };

describe('cursors', () => {
  it('are read back unchanged', () => {
    expect(openCursor(key, sealCursor(key, payload))).toEqual(payload);
    expect(openCursor(key, sealCursor(key, {}))).toEqual({});
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 10 }), fc.oneof(fc.string({ maxLength: 20 }), fc.integer()), {
          maxKeys: 5,
        }),
        (given) => {
          const text = sealCursor(key, given);
          expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
          expect(JSON.stringify(openCursor(key, text))).toBe(JSON.stringify(given));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are refused after a change of any character', () => {
    const text = sealCursor(key, payload);
    for (let at = 0; at < text.length; at += 1) {
      for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ ') {
        if (char === text[at]) continue;
        expect(openCursor(key, text.slice(0, at) + char + text.slice(at + 1))).toBeUndefined();
      }
    }
  });

  it('are refused when truncated, extended, padded or sealed with another key', () => {
    const text = sealCursor(key, payload);
    for (let length = 0; length < text.length; length += 1)
      expect(openCursor(key, text.slice(0, length))).toBeUndefined();
    for (const other of [`${text}A`, `${text}AAAA`, `${text}=`, `${text}\n`, ` ${text}`, text + text]) {
      expect(openCursor(key, other)).toBeUndefined();
    }
    expect(openCursor(key, sealCursor(randomBytes(32), payload))).toBeUndefined();
  });

  it('have exactly one text, despite unused base64 bits', () => {
    for (let length = 0; length < 3; length += 1) {
      const text = sealCursor(key, { a: 'x'.repeat(length) });
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const taken = Array.from(alphabet).filter((char) => openCursor(key, text.slice(0, -1) + char) !== undefined);
      expect(taken).toEqual([text.at(-1)]);
    }
  });

  it('are refused for any other input', () => {
    for (const text of [
      '',
      'null',
      '%00',
      'é',
      '{"$ne":null}',
      'A'.repeat(1025),
      'A'.repeat(1024),
      'x'.repeat(1_000_000),
    ]) {
      expect(openCursor(key, text)).toBeUndefined();
    }
  });

  it('are never made longer than the reader accepts', () => {
    const longest = { a: 'x'.repeat(744) };
    expect(openCursor(key, sealCursor(key, longest))).toEqual(longest);
    expect(() => sealCursor(key, { a: 'x'.repeat(745) })).toThrow(RangeError);
  });
});
