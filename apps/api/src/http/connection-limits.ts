import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '#config';
import { sourceOf } from '#guess-limits';
import { AllowedIps, parseAddress } from '#kernel';
import type { Logger, Metrics } from '#observability';

const WARNING_INTERVAL_MS = 10_000;

/**
 * Limits open connections: in total, to save file handles and memory, and per address (IPv6: per /64), so that nobody
 * can use up the total. Trusted proxies have no limit per address, because many callers share theirs.
 */
export class ConnectionLimits {
  private readonly open = new Map<string, number>();
  private readonly proxies: AllowedIps | undefined;
  private total = 0;
  private warnedAtMs = -Infinity;

  constructor(
    server: Server,
    private readonly config: Config,
    private readonly metrics: Metrics,
    private readonly logger: Logger,
  ) {
    const { trustedProxies } = config;
    // an empty AllowedIps admits everyone
    this.proxies = trustedProxies.length === 0 ? undefined : new AllowedIps(trustedProxies);
    server.prependListener('connection', (socket: Socket) => this.add(socket));
  }

  private add(socket: Socket): void {
    const address = socket.remoteAddress === undefined ? undefined : parseAddress(socket.remoteAddress);
    const source = address === undefined ? '' : sourceOf(address);
    const { inAll, perAddress } = this.config.connectionLimits;
    const open = this.open.get(source) ?? 0;
    const isProxy = address !== undefined && this.proxies?.admits(address) === true;
    if (this.total >= inAll || (open >= perAddress && !isProxy)) {
      this.refuse(socket, address);
      return;
    }
    this.total += 1;
    this.open.set(source, open + 1);
    socket.once('close', () => {
      this.total -= 1;
      const left = (this.open.get(source) ?? 1) - 1;
      if (left === 0) this.open.delete(source);
      else this.open.set(source, left);
    });
  }

  private refuse(socket: Socket, address: string | undefined): void {
    // no answer: a request that was read already would be executed
    socket.destroy();
    this.metrics.connectionsRefused.inc();
    if (performance.now() - this.warnedAtMs < WARNING_INTERVAL_MS) return;
    this.warnedAtMs = performance.now();
    this.logger.warn({ address, open: this.total }, 'connection limit reached: new connections are closed');
  }
}
