import { Schema } from 'mongoose';
import type { Actor, Subject } from '#kernel';
import type { HeadRights } from '../chain/rights-changes.ts';

/** An event as it is stored: the logged event, with its chain's name beside it for the indexes. */
export interface EventDocument {
  _id: string;
  chain: string;
  seq: number;
  operationId: string | null;
  type: string;
  at: Date;
  actor: Actor;
  subject: Subject;
  outcome: 'success' | 'refused' | 'failed';
  data: Record<string, unknown>;
  requestId: string | null;
  prevHash: string;
  hash: string;
}

export const eventSchema = new Schema<EventDocument>(
  {
    _id: String,
    chain: String,
    seq: Number,
    operationId: String,
    type: String,
    at: Date,
    actor: Schema.Types.Mixed,
    subject: Schema.Types.Mixed,
    outcome: String,
    data: Schema.Types.Mixed,
    requestId: String,
    prevHash: String,
    hash: String,
  },
  { minimize: false },
);
eventSchema.index({ chain: 1, seq: 1 }, { unique: true }); // no gap is filled twice; serves export, verify
eventSchema.index({ chain: 1, prevHash: 1 }, { unique: true }); // no fork
eventSchema.index({ at: -1, _id: -1 }); // serves GET /v1/events
eventSchema.index({ operationId: 1, at: -1, _id: -1 }); // serves GET /v1/events?operationId=
eventSchema.index({ type: 1, at: -1, _id: -1 }); // serves GET /v1/events?type=
eventSchema.index({ 'subject.id': 1, at: -1, _id: -1 }); // serves GET /v1/events?subject=
eventSchema.index({ 'actor.id': 1, at: -1, _id: -1 }); // serves GET /v1/events?actor=

/** What the last retention of a chain dropped: everything up to and with `throughSeq`, whose hash is `hash`. */
export interface ChainArchive {
  throughSeq: number;
  hash: string;
  checkpointId: string;
  /** The file that holds it, below the archive's folder. */
  file: string;
  /** SHA-256 of the file, lower-case hexadecimal. */
  sha256: string;
  /** Whether all of it is gone from the store. */
  dropped: boolean;
}

/** Where a chain ends, where it begins, and the rights version of its operation. */
export interface ChainHeadDocument extends Partial<HeadRights> {
  _id: string;
  seq: number;
  hash: string;
  archive?: ChainArchive;
}

export const chainHeadSchema = new Schema<ChainHeadDocument>({
  _id: String,
  seq: Number,
  hash: String,
  rights: String,
  ended: String,
  rightsSeq: Number,
  archive: Schema.Types.Mixed,
});

/** Work that a committed event left to do. The row goes in the transaction that does the work. */
export interface OutboxDocument {
  _id: string;
  queue: string;
  eventId: string;
  eventType: string;
  operationId: string;
  subjectId: string;
  requestId: string | null;
  createdAt: Date;
  attempts: number;
  nextAttemptAt: Date;
}

export const outboxSchema = new Schema<OutboxDocument>({
  _id: String,
  queue: String,
  eventId: String,
  eventType: String,
  operationId: String,
  subjectId: String,
  requestId: String,
  createdAt: Date,
  attempts: Number,
  nextAttemptAt: Date,
});
outboxSchema.index({ queue: 1, nextAttemptAt: 1 }); // serves the relay
