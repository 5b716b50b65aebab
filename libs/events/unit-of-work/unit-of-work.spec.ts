import { describe, expect, it, jest } from '@jest/globals';
import { EventBus } from '@nestjs/cqrs';
import type { ClientSession } from 'mongoose';
import type { LogEvent } from '#chain';
import { JobRetried, OperationDeleted } from '#event-types';
import { LEASE_CEILING_MS } from '#fence';
import type { Fence } from '#fence';
import { DomainError } from '#kernel';
import type { CallContext, Clock, DomainEvent } from '#kernel';
import type { IdempotencyKeys, Transactions } from '#mongo';
import type { ChainHealth } from '../health/chain-health.ts';
import type { EventLog } from '../log/event-log.ts';
import type { TombstoneLog } from '../tombstones/tombstone-log.ts';
import { AfterCommit } from './after-commit.ts';
import { ChainTransactions } from './chain-transactions.ts';
import { DryRunRollback } from './dry-run-rollback.ts';
import { DurablePublisher } from './durable-publisher.ts';
import { Occurrence } from './occurrence.ts';
import type { PendingEvent } from './pending-event.ts';
import type { Transaction } from './transaction.ts';
import { UnitOfWork } from './unit-of-work.ts';

const context: CallContext = { actor: { type: 'user', id: 'us_1', ip: null }, requestId: 'request-1' };
const PLATFORM = { chains: [null] } as const;
const event = (): Occurrence => new Occurrence(new JobRetried({ id: 'job-1' }, { queue: 'token-purge' }));

function publishOne(transaction: Transaction): Promise<void> {
  transaction.publish(event());
  return Promise.resolve();
}

interface Fault {
  /** Errors of the first attempts, thrown when they commit. */
  readonly commits?: readonly Error[];
  readonly append?: Error;
  readonly record?: Error;
}

/** A unit of work over a log that notes what it is given; `steps` tells in which order things happened. */
function unitOver({ commits = [], append, record }: Fault = {}) {
  const steps: string[] = [];
  const log: PendingEvent[][] = [];
  const session = { operationTime: 'T' } as unknown as ClientSession;
  const transactions = {
    run: async (work: (session: ClientSession) => Promise<unknown>) => {
      for (const error of commits) {
        await work(session);
        if (!(error instanceof Retry)) throw error;
      }
      const value = await work(session);
      steps.push('committed');
      return value;
    },
  };
  const eventLog = {
    hold: () => Promise.resolve(new Map()),
    append: (_session: unknown, pending: PendingEvent[]) => {
      if (append !== undefined) return Promise.reject(append);
      log.push(pending);
      return Promise.resolve(
        pending.map(({ event: { type, operationId } }, index) => ({ type, operationId, seq: index + 1 }) as LogEvent),
      );
    },
    count: () => void steps.push('counted'),
  };
  const bus = new EventBus<DomainEvent>({} as never, {} as never, {} as never);
  const publisher = new DurablePublisher(bus);
  publisher.onModuleInit();
  bus.subscribe(({ type }) => void steps.push(`delivered ${type}`));
  const chainHealth = { check: () => Promise.resolve(), inspect: () => Promise.resolve() };
  const tombstones = { record: () => (record === undefined ? Promise.resolve() : Promise.reject(record)) };
  const complete = jest.fn((..._fulfilled: unknown[]) => Promise.resolve());
  const advance = jest.fn<(time: unknown) => void>();
  const afterCommit = new AfterCommit(
    { advance } as unknown as Fence,
    publisher,
    tombstones as unknown as TombstoneLog,
  );
  const chains = new ChainTransactions(
    transactions as unknown as Transactions,
    eventLog as unknown as EventLog,
    chainHealth as unknown as ChainHealth,
    afterCommit,
  );
  const clock = { now: () => new Date('2026-11-27T10:00:00.000Z') } as unknown as Clock;
  const unit = new UnitOfWork(chains, bus, clock, { complete } as unknown as IdempotencyKeys);
  return { unit, steps, log, complete, advance };
}

/** The store asks for another attempt. */
class Retry extends Error {}

describe('UnitOfWork', () => {
  it('appends what was published, with who did it and when, before it commits, and delivers it afterwards', async () => {
    const { unit, steps, log } = unitOver();
    const value = await unit.run(context, PLATFORM, (transaction) => {
      transaction.publish(event());
      return Promise.resolve('value');
    });
    expect(value).toBe('value');
    expect(log).toMatchObject([
      [{ context, at: new Date('2026-11-27T10:00:00.000Z'), event: { type: JobRetried.type } }],
    ]);
    expect(steps).toEqual(['committed', 'counted', `delivered ${JobRetried.type}`]);
  });

  it('delivers the events of the last attempt only', async () => {
    const { unit, steps, log } = unitOver({ commits: [new Retry(), new Retry()] });
    await unit.run(context, PLATFORM, publishOne);
    expect(log).toHaveLength(3);
    expect(steps.filter((step) => step.startsWith('delivered'))).toHaveLength(1);
  });

  it.each([
    ['its commit fails', { commits: [new Error('no commit')] }, 'no commit'],
    ['its event cannot be written', { append: new Error('no event') }, 'no event'],
  ])('delivers nothing when %s', async (_when, fault, message) => {
    const { unit, steps } = unitOver(fault);
    const run = unit.run(context, PLATFORM, publishOne);
    await expect(run).rejects.toThrow(message);
    expect(steps).toEqual([]);
  });

  it('answers a change of rights only when the lease of every instance has run out', async () => {
    const { unit, advance } = unitOver();
    const before = performance.now();
    await unit.run(context, { ...PLATFORM, altersRights: true }, () => Promise.resolve());
    expect(performance.now() - before).toBeGreaterThanOrEqual(LEASE_CEILING_MS);
    expect(advance).toHaveBeenCalledWith('T');
  });

  it('fails when a tombstone could not be written, but only once the change is in force', async () => {
    const { unit } = unitOver({ record: new Error('disk full') });
    const before = performance.now();
    const run = unit.run(context, { ...PLATFORM, altersRights: true }, () => Promise.resolve());
    await expect(run).rejects.toThrow('disk full');
    expect(performance.now() - before).toBeGreaterThanOrEqual(LEASE_CEILING_MS);
  });

  it('commits, and waits, before it says that what should lose its rights does not exist', async () => {
    const { unit, steps, log } = unitOver();
    const before = performance.now();
    const run = unit.run(context, { ...PLATFORM, altersRights: true, isPart: true }, () =>
      Promise.reject(DomainError.notFound('credential')),
    );
    await expect(run).rejects.toMatchObject({ code: 'not-found' });
    expect(performance.now() - before).toBeGreaterThanOrEqual(LEASE_CEILING_MS);
    expect(log).toEqual([[]]);
    expect(steps[0]).toBe('committed');
  });

  it('completes the idempotency key in the same transaction, with the answer that was to be remembered', async () => {
    const { unit, complete } = unitOver();
    await unit.run({ ...context, idempotencyId: 'key-1' }, PLATFORM, (transaction) => {
      transaction.remember({ id: 'cr_1' });
      return Promise.resolve();
    });
    expect(complete).toHaveBeenCalledWith(expect.anything(), 'key-1', { id: 'cr_1' });
  });

  it('shows a dry run its change, with the published events, and commits and delivers nothing', async () => {
    const { unit, steps, log, complete, advance } = unitOver();
    const observed: unknown[] = [];
    const observe = (transaction: unknown): Promise<void> => {
      const { session, pending } = transaction as Transaction;
      observed.push([(session as unknown as { operationTime: string }).operationTime, pending.map(({ type }) => type)]);
      return Promise.resolve();
    };
    const run = unit.run(
      { ...context, idempotencyId: 'key-1', dryRun: { observe } },
      { ...PLATFORM, altersRights: true },
      (transaction) => {
        transaction.remember({ id: 'cr_1' });
        return publishOne(transaction);
      },
    );
    await expect(run).rejects.toThrow(DryRunRollback);
    expect(observed).toEqual([['T', [JobRetried.type]]]);
    expect({ steps, log }).toEqual({ steps: [], log: [] });
    expect(complete).not.toHaveBeenCalled();
    expect(advance).not.toHaveBeenCalled();
  });

  it('refuses a dry run with the error of the real run', async () => {
    const { unit } = unitOver();
    const dryRun = { observe: () => Promise.reject(new Error('nothing to observe')) };
    const run = unit.run({ ...context, dryRun }, PLATFORM, () => Promise.reject(new Error('name taken')));
    await expect(run).rejects.toThrow('name taken');
  });

  it('tells where each chain ends that it wrote to', async () => {
    const { unit } = unitOver();
    const pending = [
      {
        event: new OperationDeleted({ id: 'op_1', operationId: 'op_1' }, { name: 'Billing' }),
        context,
        at: new Date(),
      },
    ];
    const { ends } = await unit.runBatch({ chains: ['op_1'] }, () => Promise.resolve({ value: undefined, pending }));
    expect([...ends.keys()]).toEqual(['op_1']);
  });
});
