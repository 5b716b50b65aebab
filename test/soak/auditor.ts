import { setTimeout as pause } from 'node:timers/promises';
import { Api } from '../support/api.ts';
import type { Answer } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import type { Random } from '../support/event-log/mutations.ts';
import { withQueue } from '../support/queues.ts';

const EVERY_MS = 6_000;
const JOBS = ['prune-tokens', 'sign-checkpoints', 'archive-events'];

export interface AuditorOptions {
  readonly url: () => string;
  readonly database: TestDatabase;
  readonly redisUrl: string;
  readonly random: Random;
  /** What is wrong goes there. */
  readonly violations: string[];
}

/** Has the log signed and verified while everything else goes on, and keeps the checkpoints that it saw. */
export class Auditor {
  /** Every checkpoint that was handed out, by its id, as it was then. */
  readonly checkpoints = new Map<string, object>();
  /** How often it did what, and what came of it. */
  readonly counts: Record<string, number> = {};

  constructor(private readonly options: AuditorOptions) {}

  /** Goes on until then. */
  async run(endAtMs: number): Promise<void> {
    const { random } = this.options;
    const deeds = [() => this.sign(), () => this.verify(), () => this.keepCheckpoints(), () => this.haveJobsDone()];
    for (;;) {
      await pause(Math.max(0, Math.min(random(2 * EVERY_MS), endAtMs - performance.now())));
      if (performance.now() >= endAtMs) return;
      await deeds[random(deeds.length)]!();
    }
  }

  /** Has every chain signed where it ends now. @returns whether it was */
  async sign(): Promise<boolean> {
    const answer = await this.ask<{ faults: unknown[] }>('sign', (api) => api.post('/v1/checkpoints'));
    const faults = answer?.body.faults ?? [];
    if (faults.length > 0) this.options.violations.push(`chains were not signed: ${JSON.stringify(faults)}`);
    return answer !== undefined && faults.length === 0;
  }

  /** Keeps every checkpoint that there is now. */
  async keepCheckpoints(): Promise<void> {
    const answer = await this.ask<{ items: { id: string }[] }>('keep', (api) => api.get('/v1/checkpoints/export'));
    for (const checkpoint of answer?.body.items ?? []) {
      const known = this.checkpoints.get(checkpoint.id);
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(checkpoint))
        this.options.violations.push(`the checkpoint ${checkpoint.id} is another than before`);
      this.checkpoints.set(checkpoint.id, checkpoint);
    }
  }

  private async verify(): Promise<void> {
    const answer = await this.ask('verify', (api) => api.get('/v1/events/verify'));
    if (answer !== undefined && answer.body['whole'] !== true)
      this.options.violations.push(`the service says that its log is not whole: ${answer.text.slice(0, 1_000)}`);
  }

  /** Retention is on, and nothing is old enough for it, whatever a clock says. */
  private async haveJobsDone(): Promise<void> {
    const { database, redisUrl, random } = this.options;
    const name = JOBS[random(JOBS.length)]!;
    const put = (): Promise<string> =>
      withQueue(database, 'maintenance', async (queue) => queue.add(name, {}), redisUrl).then(
        () => 'put',
        () => 'not put', // Redis is full, say
      );
    this.count(`${name} ${await put()}`);
  }

  /** @returns the answer, or undefined while the service cannot answer */
  private async ask<T>(what: string, call: (api: Api) => Promise<Answer<T>>): Promise<Answer<T> | undefined> {
    let answer: Answer<T>;
    try {
      answer = await call(new Api(this.options.url()));
    } catch {
      this.count(`${what} 0`); // it was killed, or the answer broke off, which says that it is none
      return undefined;
    }
    this.count(`${what} ${answer.status}`);
    if (answer.status === 200) return answer;
    if (answer.status !== 503)
      this.options.violations.push(`${what} was answered ${answer.status}: ${answer.text.slice(0, 300)}`);
    return undefined;
  }

  private count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}
