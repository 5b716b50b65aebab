import type { ChainFault, ChainFaultReason } from '#events';

const AGAIN = 'Restore a backup that was taken at one point in time (docs/operating.md, "Backup").';
const ALTERED = `The log was altered, and moving the head would hide it. ${AGAIN}`;

const REASONS: Readonly<Record<ChainFaultReason, (seq: number) => string>> = {
  gap: (seq) => `Event ${seq} is missing, and later ones are there. No head fits a log with a gap. ${AGAIN}`,
  tail: (seq) =>
    `Event ${seq} is missing, and a signed checkpoint proves that it was there. Moving the head back would contradict the checkpoint. ${AGAIN}`,
  hash: (seq) => `Event ${seq} does not have the hash of what it says. ${ALTERED}`,
  'prev-hash': (seq) => `Event ${seq} does not follow the event before it. ${ALTERED}`,
  checkpoint: (seq) => `A signed checkpoint has another hash for event ${seq}. ${ALTERED}`,
  fork: (seq) => `Two events claim place ${seq}. ${ALTERED}`,
  duplicate: (seq) => `Place ${seq} is taken twice. ${ALTERED}`,
  chain: (seq) => `Event ${seq} belongs to another chain. ${ALTERED}`,
  head: (seq) => `The head disagrees with event ${seq}. ${ALTERED}`,
  beyond: (seq) => `Event ${seq} is behind the head. ${ALTERED}`,
};

/** Why `repair` leaves a chain alone, and what to do instead. */
export function explainRefusal({ seq, reason }: ChainFault): string {
  return REASONS[reason](seq);
}
