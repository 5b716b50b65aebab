// The file of an access review: docs/event-log-format.md, "An access review".
import { createHash } from 'node:crypto';
import { InputError, checkCheckpoints } from './checkpoints.ts';
import type { KeySet } from './checkpoints.ts';
import { canonicalForm, isObject, readJson } from './json.ts';
import type { Json, JsonObject } from './json.ts';
import { readCheckpoint, readEvent } from './shapes.ts';

export type ReviewCode = 'no-seal' | 'digest' | 'event-hash' | 'not-the-event' | 'checkpoint';

export interface ReviewReport {
  readonly fault: ReviewCode | null;
  /** Of the seal, as far as it could be read. */
  readonly reviewId: string | null;
  readonly sha256: string | null;
  readonly takenAt: string | null;
  readonly rows: number | null;
  /** The checkpoint, so that an export can be verified against it too. */
  readonly checkpoint: Json;
}

const TAKEN = 'access-review.taken.v1';
const LINE_FEED = 0x0a;
const EMPTY = { reviewId: null, sha256: null, takenAt: null, rows: null, checkpoint: null };

/** Verifies a file against its seal, and the seal against the keys. */
export function verifyReview(file: Buffer, keys: KeySet): ReviewReport {
  const start = file.lastIndexOf(LINE_FEED, file.length - 2) + 1;
  const seal = file.at(-1) === LINE_FEED ? sealOf(file.subarray(start)) : null;
  if (seal === null) return { ...EMPTY, fault: 'no-seal' };
  const { event, checkpoint } = seal;
  const data = event['data'] as JsonObject;
  const report = {
    reviewId: (event['subject'] as JsonObject)['id'] as string,
    sha256: data['sha256'] as string,
    takenAt: event['at'] as string,
    rows: Number(data['rows']),
    checkpoint,
  };
  const { hash, ...body } = event;
  const digest = createHash('sha256').update(file.subarray(0, start)).digest('hex');
  if (digest !== report.sha256) return { ...report, fault: 'digest' };
  const canonical = canonicalForm(body);
  const computed = createHash('sha256')
    .update(Buffer.of(0x00))
    .update(canonical ?? '')
    .digest('hex');
  if (canonical === null || computed !== hash) return { ...report, fault: 'event-hash' };
  const signed = readCheckpoint(checkpoint);
  if (signed?.seq !== event['seq'] || signed?.hash !== hash || signed.operationId !== event['operationId']) {
    return { ...report, fault: 'not-the-event' };
  }
  const { faults } = checkCheckpoints([checkpoint], keys, () => true);
  return { ...report, fault: faults.length > 0 ? 'checkpoint' : null };
}

/** The seal in the last line of a file, NDJSON or CSV. */
function sealOf(line: Buffer): { event: JsonObject; checkpoint: Json } | null {
  const text = line.toString('utf8').trimEnd();
  const csv = /^seal,"((?:[^"]|"")*)",*$/.exec(text)?.[1];
  const json = csv === undefined ? text : `{"seal":${csv.replaceAll('""', '"')}}`;
  const read = readJson(Buffer.from(json));
  const seal = 'fault' in read || !isObject(read.value) ? undefined : read.value['seal'];
  if (!isObject(seal) || seal['event'] === undefined || seal['checkpoint'] === undefined) return null;
  const event = readEvent(seal['event']);
  if (event === null || 'unchained' in event || event.type !== TAKEN) return null;
  return { event: seal['event'] as JsonObject, checkpoint: seal['checkpoint'] };
}

const WORDS: Record<ReviewCode, string> = {
  'no-seal': 'it has no seal in its last line: it is incomplete, or no access review',
  digest: 'it was altered: its lines have another digest than its seal says',
  'event-hash': 'its seal was altered: the event in it has another hash',
  'not-the-event': 'the checkpoint in its seal signs another event',
  checkpoint: 'the checkpoint in its seal is not signed by one of the keys, before its retirement',
};

export function renderReview(path: string, { fault, reviewId, sha256, takenAt, rows }: ReviewReport): string {
  if (fault !== null) return `${path}: ${WORDS[fault]}\n`;
  return `${path}: whole: review ${reviewId ?? ''} of ${takenAt ?? ''}, ${rows ?? 0} rows, SHA-256 ${sha256 ?? ''}\n`;
}

/** @throws InputError when there are no keys to verify a seal with */
export function requireKeys(keys: KeySet): void {
  if (keys.size === 0) throw new InputError('--review needs --keys or --public-key');
}
