import type { ChainFault, ChainFaultReason } from '#chain';

const RESTORE = 'Restore a backup that was taken at one point in time (docs/operating.md, "Backup").';
const ALTERED = `The log was altered, and moving the head would hide it. ${RESTORE}`;

const REASONS: Readonly<Record<ChainFaultReason, (seq: number) => string>> = {
  gap: (seq) => `Event ${seq} is missing, but later ones exist. No head is correct for a log with a gap. ${RESTORE}`,
  tail: (seq) =>
    `Event ${seq} is missing, but a signed checkpoint proves that it existed. ` +
    `Moving the head back would contradict the checkpoint. ${RESTORE}`,
  hash: (seq) => `The content of event ${seq} does not match its hash. ${ALTERED}`,
  'prev-hash': (seq) => `Event ${seq} does not follow the event before it. ${ALTERED}`,
  checkpoint: (seq) => `A signed checkpoint has another hash for event ${seq}. ${ALTERED}`,
  fork: (seq) => `Two events have position ${seq}. ${ALTERED}`,
  duplicate: (seq) => `Position ${seq} occurs twice. ${ALTERED}`,
  chain: (seq) => `Event ${seq} belongs to another chain. ${ALTERED}`,
  head: (seq) => `The head does not match event ${seq}. ${ALTERED}`,
  beyond: (seq) => `Event ${seq} is after the head. ${ALTERED}`,
};

/** The reason why `repair` refuses a chain, and what to do instead. */
export function explainRefusal({ seq, reason }: ChainFault): string {
  return REASONS[reason](seq);
}
