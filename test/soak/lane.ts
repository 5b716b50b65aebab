import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../support/event-log/mutations.ts';

/** Something that goes wrong, and is made good again. */
export interface Fault {
  readonly name: string;
  begin(): unknown;
  end(): unknown;
}

/** Where faults happen one at a time, beside those of the other lanes. */
export interface Lane {
  readonly name: string;
  readonly faults: readonly Fault[];
  readonly random: Random;
}

/** What happened. */
export interface Happened {
  /** How often, by lane and fault. */
  readonly faults: Record<string, number>;
  /** What is wrong at the moment. */
  readonly now: Set<string>;
  /** Told when one begins, and when it has ended. */
  readonly say: (line: string) => void;
}

const GAP_MS = 8_000;
const LASTS_MS = 5_000;
const AT_LEAST_MS = 300;

/**
 * Lets one fault after the other happen, chosen at random, as are the times in between and how long each lasts. Ends with none.
 *
 * @throws Error what came of one that could not be begun or ended
 */
export async function runLane({ name, faults, random }: Lane, endAtMs: number, happened: Happened): Promise<void> {
  const wait = async (ms: number): Promise<void> => {
    await pause(Math.max(0, Math.min(ms, endAtMs - performance.now())));
  };
  for (;;) {
    const fault = faults[random(faults.length)]!;
    await wait(AT_LEAST_MS + random(GAP_MS));
    if (performance.now() >= endAtMs) return;
    const what = `${name} ${fault.name}`;
    happened.faults[what] = (happened.faults[what] ?? 0) + 1;
    happened.now.add(what);
    happened.say(what);
    await fault.begin();
    await wait(AT_LEAST_MS + random(LASTS_MS));
    await fault.end();
    happened.now.delete(what);
    happened.say(`${what}: over`);
  }
}
