import { Readable } from 'node:stream';

/** How long a reader may take for what is buffered, in milliseconds; then the export breaks off. */
const STALLED_MS = 30_000;

/**
 * A stream of the text. It breaks off when its reader takes nothing for a while: each export that is under way holds events in memory,
 * and takes a place that others wait for.
 */
export function readableText(text: AsyncIterable<string>, stalledMs = STALLED_MS): Readable {
  const stream: Readable = Readable.from(
    whileRead(text, stalledMs, () => stream.destroy(new Error('the reader of the export stalled'))),
    { objectMode: false },
  );
  return stream;
}

/** Between two parts the source works, and its reader is not to blame; at a part that is not taken the reader is. */
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
