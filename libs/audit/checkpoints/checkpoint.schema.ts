import { Schema } from 'mongoose';
import type { ChainName } from '#chain';

/** A signed checkpoint as stored. Like events, checkpoints are never changed or removed. */
export interface CheckpointDocument {
  _id: string;
  chain: ChainName;
  operationId: string | null;
  seq: number;
  hash: string;
  at: Date;
  keyId: string;
  signature: string;
}

export const checkpointSchema = new Schema<CheckpointDocument>({
  _id: String,
  chain: String,
  operationId: String,
  seq: Number,
  hash: String,
  at: Date,
  keyId: String,
  signature: String,
});
checkpointSchema.index({ chain: 1, seq: 1 }, { unique: true }); // one per position; serves verify, signing, retention
checkpointSchema.index({ chain: 1, _id: -1 }); // serves GET /v1/checkpoints?operationId=

/** A current or retired public key of checkpoints. `_id` is its thumbprint. */
export interface CheckpointKeyDocument {
  _id: string;
  x: string;
  activatedAt: Date;
  /** The latest `at` that the key signed. It cannot be retired before. */
  lastSignedAt: Date;
  retiredAt: Date | null;
}

export const checkpointKeySchema = new Schema<CheckpointKeyDocument>({
  _id: String,
  x: String,
  activatedAt: Date,
  lastSignedAt: Date,
  retiredAt: Date,
});
