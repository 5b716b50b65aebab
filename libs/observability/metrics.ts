import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** The Prometheus metrics of one instance. Labels have few values: never ids, addresses or secrets. */
export class Metrics {
  readonly registry = new Registry();

  readonly tokensIssued = this.counter('latchkey_tokens_issued_total', 'Access tokens issued.', []);
  readonly introspections = this.counter('latchkey_introspections_total', 'Token introspections answered.', ['result']);
  readonly refusals = this.counter('latchkey_refusals_total', 'Refused sign-ins and token requests.', ['reason']);
  readonly events = this.counter('latchkey_events_total', 'Events appended to the log.', ['type']);
  readonly jobs = this.counter('latchkey_jobs_total', 'Jobs processed.', ['queue', 'outcome']);
  readonly storeConflicts = this.counter(
    'latchkey_store_conflicts_total',
    'Transactions retried after a conflict.',
    [],
  );
  readonly storeClockDifference = this.gauge(
    'latchkey_store_clock_difference_seconds',
    'Largest difference between the clocks of two MongoDB members.',
  );
  readonly rightsAudited = this.counter(
    'latchkey_rights_audited_total',
    'Cached documents compared with the store.',
    [],
  );
  readonly rightsDiffering = this.counter(
    'latchkey_rights_differing_total',
    'Cached documents that differed from the store at the same rights version. Anything above 0 is a fault.',
    [],
  );
  readonly outboxPending = this.gauge('latchkey_outbox_pending', 'Follow-up work that is not done yet (outbox rows).');
  readonly inconsistentChains = this.gauge(
    'latchkey_log_inconsistent_chains',
    'Chains of the event log whose last event does not match the chain head.',
  );
  readonly tombstonesUnwritten = this.gauge(
    'latchkey_tombstones_unwritten',
    'Changes whose tombstones are not on disk yet.',
  );
  readonly restoredBehind = this.gauge(
    'latchkey_restored_behind',
    'After a restore: event chains that end too early, and objects that are live again although they were ended.',
  );
  readonly guessLimiterDown = this.counter(
    'latchkey_guess_limiter_unavailable_total',
    'Sign-ins not counted because Redis was unavailable.',
    [],
  );
  readonly usageFlushes = this.counter('latchkey_usage_flushes_total', 'Writes of usage counts.', ['outcome']);
  readonly usageCounters = this.gauge('latchkey_usage_counters', 'Usage counters in memory.');
  readonly usageUncounted = this.counter(
    'latchkey_usage_uncounted_total',
    'Requests that were not counted, or not in full, because there were too many counters.',
    [],
  );
  readonly connectionsRefused = this.counter(
    'latchkey_connections_refused_total',
    'Connections closed because a connection limit was reached.',
    [],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  private counter<T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  private gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }
}
