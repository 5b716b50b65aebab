import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { PLATFORM_CHAIN } from '#chain';
import type { ChainName } from '#chain';
import { DomainError } from '#kernel';
import { MongoStore, isStoreUnavailable } from '#mongo';
import { Conditions, LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { ChainEnds } from './chain-ends.ts';
import type { EndFault } from './chain-ends.ts';

const SCAN_INTERVAL_MS = 60_000;
const FIRST_SCAN_POLL_MS = 250;
/** How long a writer trusts the last check of an inconsistent chain. */
const RECHECK_AFTER_MS = 1_000;
const RETRY_AFTER_SECONDS = 60;

interface KnownEndFault extends EndFault {
  readonly foundAtMs: number;
  readonly checkedAtMs: number;
}

/**
 * Tracks the chains whose head and events differ. Nothing can be appended to them correctly, so writers get
 * `log-inconsistent` until `latchkey repair` has repaired the chain, instead of retrying forever.
 */
@Injectable()
export class ChainHealth implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly known = new Map<ChainName, KnownEndFault>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly store: MongoStore,
    private readonly ends: ChainEnds,
    private readonly metrics: Metrics,
    private readonly conditions: Conditions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  get inconsistentCount(): number {
    return this.known.size;
  }

  /** The chains that this instance knows to be inconsistent, and for how long. */
  get inconsistent(): { readonly chain: ChainName; readonly forMs: number }[] {
    const nowMs = performance.now();
    return [...this.known.values()].map(({ chain, foundAtMs }) => ({ chain, forMs: nowMs - foundAtMs }));
  }

  onApplicationBootstrap(): void {
    this.schedule(FIRST_SCAN_POLL_MS);
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Needs no query while no chain is known to be inconsistent. @throws DomainError `log-inconsistent` */
  async check(chains: readonly ChainName[]): Promise<void> {
    if (this.known.size === 0) return;
    for (const chain of chains) {
      const fault = this.known.get(chain);
      if (fault === undefined) continue;
      if (performance.now() - fault.checkedAtMs < RECHECK_AFTER_MS) throw inconsistent(fault);
      await this.inspect([chain]);
    }
  }

  /** Checks these chains in the store. @throws DomainError `log-inconsistent` */
  async inspect(chains: readonly ChainName[]): Promise<void> {
    for (const chain of chains) {
      const fault = await this.ends.findFault(chain);
      this.learn(chain, fault);
      if (fault !== null) throw inconsistent(fault);
    }
  }

  /** Checks all chains in the store. */
  async scan(): Promise<void> {
    const found = new Map((await this.ends.findFaults()).map((fault) => [fault.chain, fault]));
    for (const chain of [...this.known.keys(), ...found.keys()]) this.learn(chain, found.get(chain) ?? null);
  }

  private learn(chain: ChainName, fault: EndFault | null): void {
    const before = this.known.get(chain);
    if (fault === null) this.known.delete(chain);
    else {
      const nowMs = performance.now();
      this.known.set(chain, { ...fault, foundAtMs: before?.foundAtMs ?? nowMs, checkedAtMs: nowMs });
    }
    this.metrics.inconsistentChains.set(this.known.size);
    this.report();
    if (fault !== null && before === undefined) {
      this.logger.error(fault, 'a chain of the event log does not match its head; run `latchkey repair --dry-run`');
    } else if (fault === null && before !== undefined) {
      this.logger.info({ chain }, 'a chain of the event log is consistent again');
    }
  }

  private report(): void {
    const code = 'log-inconsistent';
    const detail =
      `${this.known.size} chains of the event log do not match their heads, so their operations cannot be changed. ` +
      'Run `latchkey repair --dry-run`.';
    if (this.known.size === 0) this.conditions.clear(code);
    else this.conditions.set({ code, severity: 'degraded', detail });
  }

  private schedule(afterMs: number): void {
    this.timer = setTimeout(() => void this.scanAndSchedule(), afterMs);
    this.timer.unref();
  }

  private async scanAndSchedule(): Promise<void> {
    let done = false;
    try {
      if (this.store.ready) {
        await this.scan();
        done = true;
      }
    } catch (error) {
      if (!isStoreUnavailable(error))
        this.logger.error({ err: error }, 'cannot compare the chains of the event log with their heads');
    }
    if (!this.stopped) this.schedule(done ? SCAN_INTERVAL_MS : FIRST_SCAN_POLL_MS);
  }
}

function inconsistent({ chain, seq, reason }: EndFault): DomainError {
  const whose = chain === PLATFORM_CHAIN ? 'the platform' : 'this operation';
  return new DomainError(
    'log-inconsistent',
    `The event log of ${whose} does not match its head, so nothing was changed. An operator must run \`latchkey repair\`.`,
    { retryAfterSeconds: RETRY_AFTER_SECONDS, privateDetail: `chain ${chain}: ${reason} at ${seq}` },
  );
}
