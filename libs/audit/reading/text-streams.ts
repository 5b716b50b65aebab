import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { readableText } from './readable-text.ts';

/** The time limit for running streams at shutdown. */
const STOP_AFTER_MS = 2_000;

/** Opens streams of text, and ends them when the service shuts down. */
@Injectable()
export class TextStreams implements BeforeApplicationShutdown {
  private readonly running = new Set<Readable>();

  /** A stream that fails if the text does, or if its reader stalls. Destroying it stops the reading. */
  open(text: AsyncIterable<string>): Readable {
    const stream = readableText(text);
    this.running.add(stream);
    stream.once('close', () => this.running.delete(stream));
    return stream;
  }

  /** Destroys unfinished streams, so that the receiver sees a broken connection instead of an incomplete file. */
  async beforeApplicationShutdown(): Promise<void> {
    const ended = [...this.running].map((stream) => finished(stream).catch(() => undefined));
    await Promise.race([Promise.all(ended), pause(STOP_AFTER_MS, undefined, { ref: false })]);
    for (const stream of this.running) stream.destroy(new Error('the service is shutting down'));
  }
}
