import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Queue } from 'bullmq';
import type { JobsOptions } from 'bullmq';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { BoundedCalls, QueueUnavailable, RedisLink, RedisNamespace } from '#redis';
import { queues } from './queues.ts';
import type { QueueName } from './queues.ts';

/**
 * The queues, with a time limit on each call. No request path waits for them. They are opened once MongoDB has been
 * reached, because their prefix is stored there.
 */
@Injectable()
export class JobQueues implements OnApplicationBootstrap, OnApplicationShutdown {
  private byName: ReadonlyMap<QueueName, Queue> = new Map();
  private readonly calls = new BoundedCalls();

  constructor(
    private readonly link: RedisLink,
    private readonly namespace: RedisNamespace,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    void this.namespace.prefix().then((prefix) => this.open(prefix));
  }

  async onApplicationShutdown(): Promise<void> {
    const all = [...this.byName.values()];
    await Promise.all(all.map((queue) => this.within(() => queue.close()).catch(() => queue.disconnect())));
  }

  /** The queue itself, for reading. Wrap each call in `within`. @throws QueueUnavailable before the queues are open */
  get(name: QueueName): Queue {
    const queue = this.byName.get(name);
    if (queue === undefined) throw new QueueUnavailable('the queues are not open yet');
    return queue;
  }

  /** @param jobId not a whole number and without `:` (BullMQ rejects both). Does nothing if a job of that id exists */
  async add(
    name: QueueName,
    jobName: string,
    payload: object,
    options: JobsOptions & { jobId: string },
  ): Promise<void> {
    await this.within(async () => this.get(name).add(jobName, payload, { ...queues[name], ...options }));
  }

  isReachable(limitMs: number): Promise<boolean> {
    return this.link.isReachable(limitMs);
  }

  /** Awaits a queue call with a time limit. @throws QueueUnavailable */
  within<T>(call: () => Promise<T>, limitMs?: number): Promise<T> {
    return this.calls.within(call, limitMs);
  }

  private open(prefix: string): void {
    const names = Object.keys(queues) as QueueName[];
    this.byName = new Map(names.map((name) => [name, new Queue(name, { prefix, connection: this.link.client })]));
    for (const [name, queue] of this.byName) {
      queue.on('error', (error) => this.logger.debug({ err: error, queue: name }, 'queue connection error'));
    }
  }
}
