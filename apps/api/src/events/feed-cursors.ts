import { Injectable } from '@nestjs/common';
import { START_OF_LOG, decodePosition, encodePosition, narrowed } from '#feed';
import type { FeedPosition, FeedScope } from '#feed';
import { DomainError } from '#kernel';
import { Settings } from '#mongo';
import { openBytes, sealBytes } from '../http/cursor.ts';

/** Below the 8 KiB that common proxies allow for a request line. Holds about 400 operations. */
export const MAX_CURSOR_LENGTH = 7_000;

/** Cursors of the feed: opaque, and only made by the service. Any person may use one; it grants nothing. */
@Injectable()
export class FeedCursors {
  constructor(private readonly settings: Settings) {}

  /** @throws DomainError `invalid-cursor` */
  async open(cursor: string | undefined): Promise<FeedPosition | 'latest'> {
    if (cursor === undefined) return START_OF_LOG;
    if (cursor === 'latest') return 'latest';
    const bytes = openBytes(await this.key(), cursor, MAX_CURSOR_LENGTH);
    const position = bytes === undefined ? undefined : decodePosition(bytes);
    if (position !== undefined) return position;
    throw new DomainError('invalid-cursor', 'Send `nextCursor` unchanged as `after`, or omit it to start again.', {
      errors: [{ pointer: '/query/after', code: 'invalid-cursor', message: 'This is not a cursor of the feed.' }],
    });
  }

  /**
   * Keeps the places in all chains that it ever contained, so that a follower who regains a right continues there. If
   * they do not fit, it keeps those of the scope.
   *
   * @throws DomainError `validation` if those do not fit either
   */
  async seal(position: FeedPosition, scope: FeedScope): Promise<string> {
    const key = await this.key();
    for (const kept of [position, narrowed(position, scope)]) {
      const text = sealBytes(key, encodePosition(kept), MAX_CURSOR_LENGTH);
      if (text !== undefined) return text;
    }
    throw DomainError.invalid(
      '/query/part',
      'too-many-operations',
      'One cursor holds about 400 operations. Follow them in parts: part=1/2 and part=2/2, each with its own cursor.',
    );
  }

  private key(): Promise<Buffer> {
    return this.settings.key('cursor-key');
  }
}
