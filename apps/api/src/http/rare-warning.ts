import { LRUCache } from 'lru-cache';
import type { Logger } from '#observability';

const INTERVAL_MS = 60_000;
/** Enough for all proxies and gateways of a site. If an attacker fills it, old sources only warn again. */
const MAX_SOURCES = 1_000;

/** A warning that is logged at most once a minute for each source, so that it cannot flood the log. */
export class RareWarning {
  private readonly recent = new LRUCache<string, true>({ max: MAX_SOURCES, ttl: INTERVAL_MS });

  constructor(
    private readonly logger: Logger,
    private readonly message: string,
  ) {}

  /** @param source the caller or peer that caused the warning @param details logged with the message */
  warn(source: string, details: Readonly<Record<string, unknown>>): void {
    if (this.recent.has(source)) return;
    this.recent.set(source, true);
    this.logger.warn(details, this.message);
  }
}
