import { describe, expect, it } from '@jest/globals';
import { LineReader } from './lines.ts';
import { MAX_LINE_BYTES, Verifier } from './verifier.ts';

/** The first faulty line, and how many there are. */
function read(bytes: Buffer, chunk = bytes.length) {
  const verifier = new Verifier();
  const reader = new LineReader(verifier, 'log');
  for (let at = 0; at < bytes.length; at += chunk) reader.push(bytes.subarray(at, at + chunk));
  reader.end();
  const { faulty, first } = verifier.report().lines;
  return { faulty, line: first?.line, code: first?.code };
}
const bytes = (length: number) => Buffer.alloc(length, 'x');
const LF = Buffer.from('\n');

describe('LineReader', () => {
  it('counts lines from 1, empty ones too', () => {
    expect(read(Buffer.from('\n\n'))).toEqual({ faulty: 2, line: 1, code: 'not-json' });
    expect(read(Buffer.alloc(0))).toEqual({ faulty: 0, line: undefined, code: undefined });
  });

  it('finds a last line without its line feed', () => {
    expect(read(Buffer.from('x\nx'))).toEqual({ faulty: 2, line: 1, code: 'not-json' });
    expect(read(Buffer.from('{}'))).toEqual({ faulty: 1, line: 1, code: 'unterminated' });
  });

  it.each([1 << 16, MAX_LINE_BYTES, MAX_LINE_BYTES + 2])(
    'accepts a line of the maximum length and no longer one, in chunks of %d',
    (chunk) => {
      const longest = bytes(MAX_LINE_BYTES);
      const longer = bytes(MAX_LINE_BYTES + 1);
      expect(read(Buffer.concat([longest, LF]), chunk)).toEqual({ faulty: 1, line: 1, code: 'not-json' });
      expect(read(Buffer.concat([longer, LF]), chunk)).toEqual({ faulty: 1, line: 1, code: 'line-too-long' });
      expect(read(longest, chunk)).toEqual({ faulty: 1, line: 1, code: 'unterminated' });
      expect(read(longer, chunk)).toEqual({ faulty: 1, line: 1, code: 'line-too-long' });
      const after = Buffer.concat([longer, longer, LF, Buffer.from('x\n')]);
      expect(read(after, chunk)).toEqual({ faulty: 2, line: 1, code: 'line-too-long' });
    },
  );
});
