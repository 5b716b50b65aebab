import type { Job, Queue } from 'bullmq';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { verifyText } from '../support/event-log/store.ts';
import { withQueue } from '../support/queues.ts';
import { eventually } from '../support/service.ts';
import type { Auditor } from './auditor.ts';

const SETTLE_LIMIT_MS = 180_000;
/** The minute of a schedule, plus the possible clock difference. */
const SCHEDULE_LIMIT_MS = 95_000;

/** Inputs of the final check, when all faults are lifted and no requests are sent. */
export interface Aftermath {
  readonly database: TestDatabase;
  readonly redisUrl: string;
  /** Of a healthy instance. */
  readonly url: string;
  readonly auditor: Auditor;
}

/** What the stand-alone verifier found. */
export interface Verified {
  readonly events: number;
  readonly chains: number;
  readonly checkpoints: number;
}

/** Waits until the follow-up work is done. @returns what is still open after a long while, one sentence each */
export async function unfinished({ database, redisUrl }: Aftermath): Promise<string[]> {
  const faults: string[] = [];
  const within = async (what: string, wait: Promise<void>): Promise<void> => {
    await wait.catch((error: unknown) => faults.push(`${what}: ${String(error)}`));
  };
  await within('the outbox is not empty', settled(database, SETTLE_LIMIT_MS));
  await withQueue(
    database,
    'token-purge',
    (queue) =>
      within(
        'jobs are stuck',
        eventually(() => isIdle(queue), SETTLE_LIMIT_MS),
      ),
    redisUrl,
  );
  await withQueue(
    database,
    'maintenance',
    (queue) =>
      within(
        'schedules are stuck',
        eventually(() => isOnTime(queue), SETTLE_LIMIT_MS),
      ),
    redisUrl,
  );
  return faults;
}

/** No job is waiting or active, and no delayed job is due. */
async function isIdle(queue: Queue): Promise<boolean> {
  const counts = await queue.getJobCounts('wait', 'active', 'prioritized');
  const putOff = (await queue.getDelayed()) as (Job | undefined)[];
  // a job that an instance with a fast clock delayed is due far in the future; the empty outbox did not wait for it
  const due = putOff.filter((job) => job !== undefined && job.timestamp + job.delay < Date.now());
  return due.length === 0 && Object.values(counts).every((count) => count === 0);
}

/** Tokens are pruned again within the usual time, and no pruning hangs. */
async function isOnTime(queue: Queue): Promise<boolean> {
  const { next } = (await queue.getJobScheduler('prune-tokens')) ?? {};
  const { active } = await queue.getJobCounts('active');
  return next !== undefined && next < Date.now() + SCHEDULE_LIMIT_MS && active === 0;
}

/** Compares store, log and outbox, and verifies the log. @returns faults, one sentence each */
export async function wrongInStore(
  aftermath: Aftermath,
): Promise<{ readonly faults: string[]; readonly verified: Verified }> {
  const { database, url, auditor } = aftermath;
  const faults = await disagreements(database);
  if (!(await auditor.sign())) faults.push('the log could not be signed');
  await auditor.keepCheckpoints();
  const api = new Api(url);
  const [events, keys] = await Promise.all([
    api.get<string>('/v1/events/export?format=ndjson'),
    api.get('/.well-known/latchkey-checkpoint-keys'),
  ]);
  const checkpoints = [...auditor.checkpoints.values()];
  const { exit, out } = await verifyText([events.text], { checkpoints, keys: keys.body }, '--json');
  if (exit !== 0) {
    faults.push(`the verifier says: ${out.slice(0, 2_000)}`);
    return { faults, verified: { events: 0, chains: 0, checkpoints: 0 } };
  }
  const report = JSON.parse(out) as { chains: { events: number }[]; checkpoints: { good: number } };
  const verified = {
    events: report.chains.reduce((sum, chain) => sum + chain.events, 0),
    chains: report.chains.length,
    checkpoints: report.checkpoints.good,
  };
  const stored = await (await database.collection('events')).countDocuments();
  // the export's own event is written before it begins
  if (stored !== verified.events) faults.push(`${stored} events are stored, ${verified.events} were exported`);
  const kept = await (await database.collection('checkpoints')).countDocuments();
  if (kept !== checkpoints.length) faults.push(`${kept} checkpoints are stored, ${checkpoints.length} were handed out`);
  return { faults, verified };
}
