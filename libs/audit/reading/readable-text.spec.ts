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
  it('delivers the whole text to a reader that keeps up', async () => {
    expect(await text(readableText(parts(), 10_000))).toHaveLength(20 * PART.length);
  });

  it('aborts if its reader stalls, and closes the source', async () => {
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

  it('does not abort because of a slow source', async () => {
    expect(await text(readableText(parts(20), 10))).toHaveLength(20 * PART.length);
  });
});
