import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { InjectQueue } from '@nestjs/bullmq';
import { Queue } from 'bullmq';
import type { JobsOptions } from 'bullmq';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { queues } from './queues.ts';
import type { QueueName } from './queues.ts';

/** How long to wait for Redis before giving up on a call, in milliseconds: BullMQ itself waits without end. */
const QUEUE_CALL_MS = 2_000;
/** Calls that Redis has not answered yet at most: BullMQ keeps each of them until Redis is back, then all are done. */
const UNANSWERED_AT_MOST = 50;

/** Thrown when Redis did not answer in time. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

/** The queues, with calls that end. Nothing on an HTTP path that a client waits for may use them. */
@Injectable()
export class JobQueues implements OnModuleInit, OnApplicationShutdown {
  private readonly byName: Readonly<Record<QueueName, Queue>>;
  private unanswered = 0;

  constructor(
    @InjectQueue('token-purge') tokenPurge: Queue,
    @InjectQueue('maintenance') maintenance: Queue,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.byName = { 'token-purge': tokenPurge, maintenance };
  }

  onModuleInit(): void {
    for (const queue of Object.values(this.byName)) {
      queue.on('error', (error) => this.logger.debug({ err: error, queue: queue.name }, 'queue connection error'));
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(
      Object.values(this.byName).map((queue) => this.within(() => queue.close()).catch(() => queue.disconnect())),
    );
  }

  /** The queue itself, for reading. Bound each call with `within`. */
  get(name: QueueName): Queue {
    return this.byName[name];
  }

  /** @param jobId no whole number and without `:` (BullMQ refuses both); a kept job of that id makes the call do nothing */
  async add(
    name: QueueName,
    jobName: string,
    payload: object,
    options: JobsOptions & { jobId: string },
  ): Promise<void> {
    await this.within(() => this.byName[name].add(jobName, payload, { ...queues[name], ...options }));
  }

  /** Whether Redis shows a sign of life. */
  async reachable(limitMs: number): Promise<boolean> {
    return this.within(() => this.byName.maintenance.count(), limitMs).then(
      () => true,
      () => false,
    );
  }

  /**
   * Makes a queue call and waits for it, but not for ever. While too many wait for Redis already it is not made at all.
   *
   * @throws QueueUnavailable
   */
  async within<T>(call: () => Promise<T>, limitMs = QUEUE_CALL_MS): Promise<T> {
    if (this.unanswered >= UNANSWERED_AT_MOST) throw new QueueUnavailable('Redis has not answered for a while');
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new QueueUnavailable('Redis did not answer in time')), limitMs);
    });
    this.unanswered += 1;
    const answer = call().finally(() => (this.unanswered -= 1));
    try {
      return await Promise.race([answer, deadline]);
    } finally {
      clearTimeout(timer);
      answer.catch(() => undefined);
    }
  }
}
