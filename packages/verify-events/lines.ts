import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { MAX_LINE_BYTES } from './verifier.ts';
import type { Verifier } from './verifier.ts';

const LINE_FEED = 0x0a;

/** Splits bytes at line feeds, and never holds more than one line of maximum length and a chunk. */
export class LineReader {
  private readonly verifier: Verifier;
  private readonly file: string;
  private line = 1;
  private rest: Buffer[] = [];
  private restBytes = 0;

  constructor(verifier: Verifier, file: string) {
    this.verifier = verifier;
    this.file = file;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.keep(chunk.subarray(start, end));
      this.flush();
      start = end + 1;
    }
    this.keep(chunk.subarray(start));
  }

  end(): void {
    if (this.restBytes === 0) return;
    const code = this.restBytes > MAX_LINE_BYTES ? 'line-too-long' : 'unterminated';
    this.verifier.addFaultyLine({ file: this.file, line: this.line, code });
  }

  private keep(part: Buffer): void {
    this.restBytes += part.length;
    if (this.restBytes <= MAX_LINE_BYTES && part.length > 0) this.rest.push(part);
  }

  private flush(): void {
    if (this.restBytes > MAX_LINE_BYTES) {
      this.verifier.addFaultyLine({ file: this.file, line: this.line, code: 'line-too-long' });
    } else {
      const bytes = this.rest.length === 1 ? (this.rest[0] as Buffer) : Buffer.concat(this.rest);
      this.verifier.addLine(bytes, this.file, this.line);
    }
    this.line += 1;
    this.rest = [];
    this.restBytes = 0;
  }
}

/**
 * Feeds a file to the verifier as a stream.
 * @param path `-` is standard input
 * @throws what the file system throws when it cannot be read
 */
export async function readEvents(path: string, verifier: Verifier, stdin: Readable): Promise<void> {
  const reader = new LineReader(verifier, path);
  const stream: AsyncIterable<Buffer> = path === '-' ? stdin : createReadStream(path, { highWaterMark: 1 << 18 });
  for await (const chunk of stream) reader.push(chunk);
  reader.end();
}
