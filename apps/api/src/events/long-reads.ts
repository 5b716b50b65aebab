import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { DomainError } from '#kernel';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';

const MAX_PER_READER = 2;
const MAX_PER_INSTANCE = 8;
/** Each leaves an event or a checkpoint: nobody can make the log grow faster than this by reading it. */
const MAX_BEGUN_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
const RETRY_SECONDS = 5;
const MAX_READERS = 10_000;

/** Limits what reads all of the log (exports, verification, signing): memory and the store are shared with those who ask for tokens. */
@Injectable()
export class LongReads {
  private readonly running = new Map<string, number>();
  private readonly begun = new LRUCache<string, { count: number }>({ max: MAX_READERS, ttl: MINUTE_MS });
  private total = 0;

  /**
   * Takes a place until the answer is sent or its connection closed.
   *
   * @throws DomainError `too-many-exports`
   */
  begin({ principal }: LatchkeyRequest, { raw }: FastifyReply): void {
    const reader = principal?.userId ?? '';
    const own = this.running.get(reader) ?? 0;
    if (own >= MAX_PER_READER) throw tooMany(`You have ${own} under way already: wait until one of them is done.`);
    if (this.total >= MAX_PER_INSTANCE) throw tooMany('Others have as many under way as may run at a time.');
    this.countBegun(reader);
    this.total += 1;
    this.running.set(reader, own + 1);
    raw.once('close', () => this.end(reader));
  }

  private countBegun(reader: string): void {
    let begun = this.begun.get(reader);
    if (begun === undefined) this.begun.set(reader, (begun = { count: 0 }));
    if (begun.count >= MAX_BEGUN_PER_MINUTE) {
      const leftMs = this.begun.getRemainingTTL(reader);
      throw tooMany(`At most ${MAX_BEGUN_PER_MINUTE} may be begun in a minute.`, Math.max(1, Math.ceil(leftMs / 1000)));
    }
    begun.count += 1;
  }

  private end(reader: string): void {
    this.total -= 1;
    const own = (this.running.get(reader) ?? 1) - 1;
    if (own === 0) this.running.delete(reader);
    else this.running.set(reader, own);
  }
}

function tooMany(why: string, retryAfterSeconds = RETRY_SECONDS): DomainError {
  return new DomainError('too-many-exports', `Too many exports and verifications. ${why}`, { retryAfterSeconds });
}
