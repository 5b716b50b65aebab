import { Readable } from 'node:stream';

/** The stream fails if its reader takes nothing for this long. */
const STALL_TIMEOUT_MS = 30_000;

/**
 * A stream of the text. Fails if its reader stalls, because a running export keeps events in memory and counts towards
 * the limit of exports.
 */
export function readableText(text: AsyncIterable<string>, stalledMs = STALL_TIMEOUT_MS): Readable {
  const stream: Readable = Readable.from(
    whileRead(text, stalledMs, () => stream.destroy(new Error('the reader of the export stalled'))),
    { objectMode: false },
  );
  return stream;
}

/** Measures only the time for which a finished part waits for the reader, not the time that the source needs. */
async function* whileRead(
  text: AsyncIterable<string>,
  stalledMs: number,
  stalled: () => void,
): AsyncGenerator<string, void, undefined> {
  for await (const part of text) {
    const timer = setTimeout(stalled, stalledMs);
    timer.unref();
    try {
      yield part;
    } finally {
      clearTimeout(timer);
    }
  }
}
