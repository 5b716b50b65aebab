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
  /** Collects violations. */
  readonly violations: string[];
}

/** Signs and verifies the log during the soak, and keeps every checkpoint that it saw. */
export class Auditor {
  /** Every checkpoint that was returned, by its id. */
  readonly checkpoints = new Map<string, object>();
  /** Counts of its actions and their results. */
  readonly counts: Record<string, number> = {};

  constructor(private readonly options: AuditorOptions) {}

  /** Runs until then. */
  async run(endAtMs: number): Promise<void> {
    const { random } = this.options;
    const deeds = [() => this.sign(), () => this.verify(), () => this.keepCheckpoints(), () => this.haveJobsDone()];
    for (;;) {
      await pause(Math.max(0, Math.min(random(2 * EVERY_MS), endAtMs - performance.now())));
      if (performance.now() >= endAtMs) return;
      await deeds[random(deeds.length)]!();
    }
  }

  /** Requests a checkpoint of every chain. @returns whether it was made */
  async sign(): Promise<boolean> {
    const answer = await this.ask<{ faults: unknown[] }>('sign', (api) => api.post('/v1/checkpoints'));
    const faults = answer?.body.faults ?? [];
    if (faults.length > 0) this.options.violations.push(`chains were not signed: ${JSON.stringify(faults)}`);
    return answer !== undefined && faults.length === 0;
  }

  /** Keeps every existing checkpoint. */
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

  /** Retention is on, but nothing is old enough for it, by any clock. */
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
      this.count(`${what} 0`); // the instance was killed, or the response was cut off and is invalid
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
