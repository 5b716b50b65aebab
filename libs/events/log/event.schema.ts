import { Schema } from 'mongoose';
import type { ChainName } from '#chain';
import type { Actor, Subject } from '#kernel';
import type { HeadRights } from './rights-changes.ts';

/** A stored event: the logged event, plus the name of its chain for the indexes. */
export interface EventDocument {
  _id: string;
  chain: ChainName;
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
eventSchema.index({ chain: 1, seq: 1 }, { unique: true }); // one event per position; serves export, verify
eventSchema.index({ chain: 1, prevHash: 1 }, { unique: true }); // no fork
eventSchema.index({ at: -1, _id: -1 }); // serves GET /v1/events
eventSchema.index({ operationId: 1, at: -1, _id: -1 }); // serves GET /v1/events?operationId=
eventSchema.index({ type: 1, at: -1, _id: -1 }); // serves GET /v1/events?type=
eventSchema.index({ 'subject.id': 1, at: -1, _id: -1 }); // serves GET /v1/events?subject=
eventSchema.index({ 'actor.id': 1, at: -1, _id: -1 }); // serves GET /v1/events?actor=

/** The last retention of a chain: it archived all events up to and including `throughSeq`, whose hash is `hash`. */
export interface ChainArchive {
  throughSeq: number;
  hash: string;
  checkpointId: string;
  /** The archive file, relative to the archive folder. */
  file: string;
  /** SHA-256 of the file, lower-case hexadecimal. */
  sha256: string;
  /** Whether all archived events were deleted from the store. */
  dropped: boolean;
}

/** The head of a chain, its archived beginning, and the rights version of its operation. */
export interface ChainHeadDocument extends Partial<HeadRights> {
  _id: ChainName;
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

/** Follow-up work of a committed event. The transaction that does the work deletes the row. */
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
