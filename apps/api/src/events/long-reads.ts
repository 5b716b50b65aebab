import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { DomainError } from '#kernel';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';

const MAX_PER_READER = 2;
const MAX_PER_INSTANCE = 8;
/** Each read writes an event or a checkpoint, so this limits how fast reads can make the log grow. */
const MAX_STARTS_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
const RETRY_AFTER_SECONDS = 5;
const MAX_READERS = 10_000;

/** Limits reads of the whole log (export, verification, signing), which share memory and store with token requests. */
@Injectable()
export class LongReads {
  private readonly running = new Map<string, number>();
  private readonly begun = new LRUCache<string, { count: number }>({ max: MAX_READERS, ttl: MINUTE_MS });
  private total = 0;

  /**
   * Counts a read until its answer is sent or its connection is closed.
   *
   * @throws DomainError `too-many-exports`
   */
  begin({ principal }: LatchkeyRequest, { raw }: FastifyReply): void {
    const reader = principal?.userId ?? '';
    const own = this.running.get(reader) ?? 0;
    if (own >= MAX_PER_READER) throw tooMany(`You already have ${own} running. Wait until one of them is done.`);
    if (this.total >= MAX_PER_INSTANCE) throw tooMany('This instance runs as many as it can. Try again later.');
    this.countStart(reader);
    this.total += 1;
    this.running.set(reader, own + 1);
    raw.once('close', () => this.end(reader));
  }

  private countStart(reader: string): void {
    let begun = this.begun.get(reader);
    if (begun === undefined) this.begun.set(reader, (begun = { count: 0 }));
    if (begun.count >= MAX_STARTS_PER_MINUTE) {
      const leftMs = this.begun.getRemainingTTL(reader);
      throw tooMany(
        `At most ${MAX_STARTS_PER_MINUTE} can be started per minute.`,
        Math.max(1, Math.ceil(leftMs / 1000)),
      );
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

function tooMany(why: string, retryAfterSeconds = RETRY_AFTER_SECONDS): DomainError {
  return new DomainError('too-many-exports', `Too many exports and verifications. ${why}`, { retryAfterSeconds });
}
