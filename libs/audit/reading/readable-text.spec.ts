import { finished } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { readableText } from './readable-text.ts';

const PART = 'x'.repeat(40_000);

/** Twenty parts, far more than a stream buffers. */
async function* parts(beforeEachMs = 0, closed: () => void = () => undefined): AsyncGenerator<string> {
  try {
    for (let count = 0; count < 20; count += 1) {
      await pause(beforeEachMs);
      yield PART;
    }
  } finally {
    closed();
  }
}

describe('readableText', () => {
  it('gives all of the text to a reader who takes it', async () => {
    expect(await text(readableText(parts(), 10_000))).toHaveLength(20 * PART.length);
  });

  it('breaks off when its reader takes nothing, and ends the reading of the source', async () => {
    let closed = false;
    const stream = readableText(
      parts(0, () => (closed = true)),
      50,
    );
    stream.read();
    await expect(finished(stream)).rejects.toThrow('stalled');
    await new Promise(setImmediate);
    expect(closed).toBe(true);
  });

  it('does not blame the reader for a source that is slow', async () => {
    expect(await text(readableText(parts(20), 10))).toHaveLength(20 * PART.length);
  });
});
