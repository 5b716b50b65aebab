import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { UnitOfWork } from '#events';
import { Clock, newClientId } from '#kernel';
import { Transactions } from '#mongo';
import { Metrics } from '#observability';
import { ChainTransactions } from '../../libs/events/unit-of-work/chain-transactions.ts';
import { IssueWriter } from '../../libs/access/issue-writer.ts';
import { issueRequest } from '../../libs/access/test-support/issue-request.ts';
import { TokenIssuer } from '../../libs/access/token-issuer.ts';
import { SimulatedLog, SimulatedSession, SimulatedStore } from '../support/simulated-store.ts';
import type { StoreDelays } from '../support/simulated-store.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const OPERATION = 'op_1';
const CREDENTIALS = 10;
const DEADLINE_MS = 2_500;
/** From an answer to the same caller's next request, in milliseconds. */
const CLIENT_MS = 1;
const WITHIN_A_REGION: StoreDelays = { rttMs: 1.2, commitMs: 4 };
const BETWEEN_REGIONS: StoreDelays = { rttMs: 3, commitMs: 8 };
const SIMULATED_MS = 8_000;
const WARM_MS = 1_000;

const clientIds = Array.from({ length: CREDENTIALS }, () => newClientId());

class VirtualClock extends Clock {
  override nowMs(): number {
    return Date.UTC(2026, 10, 27) + performance.now();
  }
}

/** One instance: all that decides about its turns is the service's own; only what talks to the store is simulated. */
function anInstance(store: SimulatedStore): TokenIssuer {
  const clock = new VirtualClock();
  const idle: SimulatedSession[] = [];
  const sessions = {
    take: () => Promise.resolve(idle.pop() ?? new SimulatedSession(store)),
    give: (session: SimulatedSession) => idle.push(session),
    endDeadInstances: () => Promise.resolve(),
  };
  const transactions = new Transactions({ ready: true } as never, new Metrics(), sessions as never);
  const health = { check: () => Promise.resolve() };
  const afterCommit = { deliver: () => undefined, settle: () => Promise.resolve() };
  const log = new SimulatedLog(store);
  const chains = new ChainTransactions(transactions, log as never, health as never, afterCommit as never);
  const unitOfWork = new UnitOfWork(chains, {} as never, clock, {} as never);
  const statement = async (session: SimulatedSession): Promise<void> => {
    await session.statement();
  };
  const tokens = {
    slots: async (_ids: unknown, session: SimulatedSession) => statement(session).then(() => []),
    delete: async (ids: readonly unknown[], session: SimulatedSession) =>
      ids.length > 0 ? statement(session) : undefined,
    insert: async (_tokens: unknown, session: SimulatedSession) => statement(session),
  };
  const credentials = {
    touch: async (due: readonly unknown[], _at: unknown, session: SimulatedSession) => {
      if (due.length > 0) await statement(session);
      return [];
    },
  };
  const writer = new IssueWriter(tokens as never, credentials as never, { forget: () => undefined } as never, clock);
  return new TokenIssuer(unitOfWork, writer);
}

interface Outcome {
  /** How long each request took that was answered with a token, in simulated milliseconds, ascending. */
  readonly tookMs: readonly number[];
  readonly refused: number;
  readonly conflicts: number;
}

/** Callers of several instances that ask for tokens of one operation, one request after the other. */
async function crowd(time: VirtualTime, instances: number, callers: number, delays: StoreDelays): Promise<Outcome> {
  const store = new SimulatedStore(OPERATION, delays);
  const tookMs: number[] = [];
  let refused = 0;
  const call = async (issuer: TokenIssuer, at: number): Promise<void> => {
    for (;;) {
      const sentAtMs = performance.now();
      const clientId = clientIds[at % CREDENTIALS]!;
      const request = issueRequest(
        { clientId, operationId: OPERATION, tokenLimitPolicy: 'evict_oldest' },
        `se_${at % CREDENTIALS}`,
      );
      try {
        await issuer.issue({ ...request, deadlineAtMs: sentAtMs + DEADLINE_MS });
        if (sentAtMs > WARM_MS) tookMs.push(performance.now() - sentAtMs);
      } catch {
        refused += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, CLIENT_MS));
    }
  };
  for (let instance = 0; instance < instances; instance += 1) {
    const issuer = anInstance(store);
    for (let caller = 0; caller < callers; caller += 1) void call(issuer, caller);
  }
  await time.pass(SIMULATED_MS);
  return { tookMs: tookMs.sort((a, b) => a - b), refused, conflicts: store.conflicts };
}

function percentile({ tookMs }: Outcome, share: number): number {
  return tookMs[Math.floor(tookMs.length * share)] ?? Infinity;
}

/** Simulated time: a busy machine makes no difference. */
describe('token requests for one operation at several instances', () => {
  let time: VirtualTime;
  beforeEach(() => {
    time = new VirtualTime().install();
    let seed = 7;
    // mulberry32: the same delays in each run
    jest.spyOn(Math, 'random').mockImplementation(() => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    time.uninstall();
  });

  it('are answered within 60 ms, 99 of 100, for two instances with 16 callers each within a region', async () => {
    const outcome = await crowd(time, 2, 16, WITHIN_A_REGION);
    expect(outcome.refused).toBe(0);
    expect(percentile(outcome, 0.99)).toBeLessThan(60);
  });

  it.each([
    [2, 16, BETWEEN_REGIONS],
    [10, 8, WITHIN_A_REGION],
    [10, 8, BETWEEN_REGIONS],
  ] as const)('are never refused: %i instances with %i callers each, %o', async (instances, callers, delays) => {
    const outcome = await crowd(time, instances, callers, delays);
    expect(outcome.refused).toBe(0);
    // far from the deadline of 2.5 s: nobody starves
    expect(percentile(outcome, 0.99)).toBeLessThan(1_000);
    expect(outcome.tookMs.at(-1)).toBeLessThan(DEADLINE_MS / 2);
  });
});
