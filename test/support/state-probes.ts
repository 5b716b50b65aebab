import { eventually } from './service.ts';

/** How a probe was answered: by the old state, by the new one, or not at all (503 on a busy machine). */
export type Verdict = 'old' | 'new' | 'none';

/** Something that changes again and again while it is asked about. */
export interface Change {
  /** Asks the instance at this address. */
  readonly probe: (url: string) => Promise<Verdict>;
  /** Makes the change at the instance at this address. @throws Error if it is refused */
  readonly make: (url: string) => Promise<void>;
  /** Takes it back, so that it can be made again. */
  readonly undo: () => Promise<void>;
}

/** What was seen. */
export interface ProbeTally {
  rounds: number;
  /** Begun before the change was answered, and answered by the old state: it really was in force. */
  before: number;
  /** Begun after the change was answered. */
  after: number;
  /** … and answered by the old state: there must be none. */
  broken: string[];
  unanswered: number;
}

const ASKERS_EACH = 4;
const MIN_PER_ROUND = 40;
const ROUNDS = 10;
/** Time in which the old state is asked about before each change, in milliseconds. */
const HEAD_START_MS = 150;

/**
 * Asks all instances without a pause while a change is made at one of them, then at another, until enough probes began
 * after an answer.
 */
export async function probeChange(
  urls: readonly string[],
  { probe, make, undo }: Change,
  atLeast: number,
): Promise<ProbeTally> {
  const tally: ProbeTally = { rounds: 0, before: 0, after: 0, broken: [], unanswered: 0 };
  const perRound = Math.max(MIN_PER_ROUND, Math.ceil(atLeast / ROUNDS));
  while (tally.after < atLeast) {
    const enough = tally.after + perRound;
    let answeredAtMs: number | undefined;
    let isOver = false;
    const ask = async (url: string): Promise<void> => {
      while (!isOver && tally.after < enough) {
        const begunAtMs = performance.now();
        const isAfter = answeredAtMs !== undefined;
        const verdict = await probe(url);
        if (verdict === 'none') tally.unanswered += 1;
        else if (isAfter) tally.after += 1;
        else if (verdict === 'old') tally.before += 1;
        if (verdict === 'old' && isAfter) {
          tally.broken.push(`${url} ${(begunAtMs - (answeredAtMs ?? 0)).toFixed(1)} ms after the answer`);
        }
      }
    };
    const asking = Promise.all(urls.flatMap((url) => Array.from({ length: ASKERS_EACH }, () => ask(url))));
    try {
      await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS));
      await make(urls[tally.rounds % urls.length] ?? '');
      answeredAtMs = performance.now();
      await asking;
    } finally {
      isOver = true;
    }
    tally.rounds += 1;
    await undo();
    await eventually(async () => (await Promise.all(urls.map(probe))).every((verdict) => verdict === 'old'));
  }
  return tally;
}
