import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NameError, checkDescription, nameKey, normaliseName } from './names.ts';

describe('normaliseName', () => {
  it.each([
    ['Billing', 'Billing'],
    ['a', 'a'],
    ['e\u0301te\u0301', 'été'],
    ['Straße 7 / West – „Nord“', 'Straße 7 / West – „Nord“'],
    ['財務サービス', '財務サービス'],
    ['خدمة الفواتير', 'خدمة الفواتير'],
    ['🔑 keys', '🔑 keys'],
    ['⚙\uFE0F worker', '⚙\uFE0F worker'],
    ['🔑'.repeat(100), '🔑'.repeat(100)],
    ['e\u0301'.repeat(100), 'é'.repeat(100)],
    ['two  spaces', 'two  spaces'],
    ['__proto__', '__proto__'],
    ['{"$ne":null}', '{"$ne":null}'],
  ])('accepts %j', (text, stored) => {
    expect(normaliseName(text)).toBe(stored);
  });

  it.each([
    ['nothing', ''],
    ['101 code points', 'a'.repeat(101)],
    ['101 code points beyond the BMP', '🔑'.repeat(101)],
    ['a million characters', 'a'.repeat(1_000_000)],
    ['leading space', ' a'],
    ['trailing space', 'a '],
    ['only space', ' '],
    ['trailing no-break space', 'a\u00A0'],
    ['leading ideographic space', '\u3000a'],
    ['tab', 'a\tb'],
    ['newline', 'a\nb'],
    ['NUL', 'a\0b'],
    ['DEL', 'a\u007Fb'],
    ['C1 control', 'a\u0085b'],
    ['line separator', 'a\u2028b'],
    ['paragraph separator', 'a\u2029b'],
    ['right-to-left override', 'a\u202Eb'],
    ['right-to-left mark', 'a\u200Fb'],
    ['Arabic letter mark', 'a\u061Cb'],
    ['first strong isolate', 'a\u2068b'],
    ['zero-width space', 'a\u200Bb'],
    ['zero-width non-joiner', 'a\u200Cb'],
    ['zero-width joiner', 'a\u200Db'],
    ['word joiner', 'a\u2060b'],
    ['byte order mark', '\uFEFFa'],
    ['soft hyphen', 'a\u00ADb'],
    ['combining grapheme joiner', 'a\u034Fb'],
    ['Hangul filler', 'a\u3164b'],
    ['Mongolian vowel separator', 'a\u180Eb'],
    ['tag character', 'a\u{E0041}b'],
    ['annotation anchor', 'a\uFFF9b'],
    ['high surrogate alone', 'a\uD800'],
    ['low surrogate alone', '\uDC00a'],
    ['variation selector alone', '\uFE0F'],
  ])('refuses %s', (_what, text) => {
    expect(() => normaliseName(text)).toThrow(NameError);
  });

  it('repeats no submitted value', () => {
    let message = '';
    try {
      normaliseName('canary\u202E');
    } catch (error) {
      message = (error as NameError).publicMessage;
    }
    expect(message).toContain('direction');
    expect(message).not.toMatch(/canary|\u202E/);
  });

  it('is idempotent, and throws only NameError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (text) => {
        try {
          const stored = normaliseName(text);
          expect(normaliseName(stored)).toBe(stored);
          expect(stored).toBe(text.normalize('NFC'));
        } catch (error) {
          if (!(error instanceof NameError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('nameKey', () => {
  it.each([
    ['Billing', 'BILLING'],
    ['Straße', 'STRASSE'],
    ['Straße', 'STRAẞE'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['été', 'E\u0301TE\u0301'],
    ['Ｂｉｌｌｉｎｇ', 'billing'],
    ['ﬁle', 'FILE'],
    ['İstanbul', 'i\u0307stanbul'],
    ['Ⅳ', 'iv'],
    ['K', 'k'],
    ['Å', 'å'],
    ['⚙', '⚙\uFE0F'],
    ['ᾳ', 'ΑΙ'],
    ['Ꭰ', 'ꭰ'],
    ['Джон', 'ДЖОН'],
  ])('treats %s and %s as the same', (one, other) => {
    expect(nameKey(one)).toBe(nameKey(other));
  });

  it.each([
    ['a', 'b'],
    ['e', 'é'],
    ['a b', 'a  b'],
    ['ı', 'i'],
    ['o', 'ö'],
  ])('distinguishes %s from %s', (one, other) => {
    expect(nameKey(one)).not.toBe(nameKey(other));
  });

  it('is idempotent and ignores case', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
        fc.constantFrom(...Array.from('aAßẞςΣİiKÅﬁéΐ')),
      ),
    });
    fc.assert(
      fc.property(text, (name) => {
        expect(nameKey(nameKey(name))).toBe(nameKey(name));
        expect(nameKey(name.normalize('NFC'))).toBe(nameKey(name.normalize('NFD')));
        // the dotless i has the common I as its upper case, yet is a letter of its own
        if (!/ı/i.test(name)) expect(nameKey(name.toUpperCase())).toBe(nameKey(name.toLowerCase()));
      }),
      { numRuns: 20_000 },
    );
  });

  it("sorts every code point into the classes of Python's str.casefold", () => {
    const reference = `
import json, unicodedata as u
def key(c):
    return u.normalize('NFKC', u.normalize('NFKC', u.normalize('NFD', c).casefold()).casefold())
print(json.dumps([[c, key(chr(c))] for c in range(0x110000) if u.category(chr(c)) not in ('Cn', 'Cs', 'Co')]))`;
    const run = spawnSync('python3', ['-c', reference], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    expect({ error: run.error, stderr: run.stderr, status: run.status }).toEqual({
      error: undefined,
      stderr: '',
      status: 0,
    });
    const theirs = new Map<string, string>();
    const ours = new Map<string, string>();
    const wrong: string[] = [];
    let compared = 0;
    for (const [codePoint, key] of JSON.parse(run.stdout) as [number, string][]) {
      const char = String.fromCodePoint(codePoint);
      // Python's folding keeps the characters that display ignores
      if (/\p{Default_Ignorable_Code_Point}/u.test(char + key)) continue;
      compared += 1;
      const mine = nameKey(char);
      if ((theirs.get(key) ?? mine) !== mine || (ours.get(mine) ?? key) !== key) wrong.push(codePoint.toString(16));
      theirs.set(key, mine);
      ours.set(mine, key);
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(100_000);
  });
});

describe('checkDescription', () => {
  it.each([
    ['', ''],
    ['one\n\ttwo', 'one\n\ttwo'],
    ['one\r\ntwo', 'one\ntwo'],
    ['e\u0301', 'é'],
    ['👩\u200D💻 team', '👩\u200D💻 team'],
    ['x'.repeat(1000), 'x'.repeat(1000)],
    [' a ', ' a '],
  ])('accepts %j', (text, stored) => {
    expect(checkDescription(text)).toBe(stored);
  });

  it.each([
    ['1001 code points', 'x'.repeat(1001)],
    ['ten million characters', 'x'.repeat(10_000_000)],
    ['NUL', 'a\0'],
    ['escape', 'a\u001B[31m'],
    ['a carriage return alone', 'a\rb'],
    ['a direction override', 'a\u202Eb'],
    ['a lone surrogate', 'a\uDFFF'],
  ])('refuses %s', (_what, text) => {
    expect(() => checkDescription(text)).toThrow(NameError);
  });
});
