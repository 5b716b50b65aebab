import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../support/event-log/mutations.ts';

/** A fault that begins and is lifted again. */
export interface Fault {
  readonly name: string;
  begin(): unknown;
  end(): unknown;
}

/** A sequence of faults, one at a time; lanes run in parallel. */
export interface Lane {
  readonly name: string;
  readonly faults: readonly Fault[];
  readonly random: Random;
}

/** What happened. */
export interface Happened {
  /** How often, by lane and fault. */
  readonly faults: Record<string, number>;
  /** The faults that are active. */
  readonly now: Set<string>;
  /** Called when a fault begins, and when it has ended. */
  readonly say: (line: string) => void;
}

const GAP_MS = 8_000;
const LASTS_MS = 5_000;
const AT_LEAST_MS = 300;

/**
 * Runs one fault after another. Faults, pauses and durations are random. No fault is active at the end.
 *
 * @throws Error if a fault could not begin or end
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
