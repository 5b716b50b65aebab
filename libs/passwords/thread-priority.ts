import { getPriority, setPriority } from 'node:os';

/**
 * When they compete for a core, the event loop gets about three times the share of such a thread. A lower priority
 * would stop sign-ins on a busy machine.
 */
const NICENESS = 5;
const MAX_NICENESS = 19;

/** Lets the event loop go first. Called in a thread, for that thread. */
export function lowerPriority(): void {
  // on other systems this would change the priority of the whole process
  if (process.platform === 'linux') setPriority(Math.min(getPriority() + NICENESS, MAX_NICENESS));
}
