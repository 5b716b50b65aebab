import mongoose from 'mongoose';

/** Days that use is kept, plus the hour that a document is about. */
export const RETENTION_SECONDS = 90 * 86_400 + 3_600;
/** Documents of one bulk write: it must be answered within the time limit of one round trip. */
export const MAX_BATCH = 500;

/** A duplicate key means that the store already has the document, as current or more so. */
export function ignoreDuplicates(error: unknown): void {
  if (!(error instanceof mongoose.mongo.MongoBulkWriteError)) throw error;
  const faults = [error.writeErrors].flat();
  if (faults.length === 0 || faults.some(({ code }) => code !== 11_000)) throw error;
}
