import type { Random } from '../support/event-log/mutations.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import type { Fault } from './lane.ts';

const MAX_DELAY_MS = 1_500;

/** Faults of connections, applied to all these proxies together. */
export function connectionFaults(proxies: readonly TcpProxy[], random: Random): Fault[] {
  const all = (act: (proxy: TcpProxy) => unknown) => (): Promise<unknown[]> => Promise.all(proxies.map(act));
  const nothing = (): void => undefined;
  const slow = (delayMs: number): Promise<unknown[]> => all((proxy) => proxy.slow(delayMs))();
  return [
    { name: 'away', begin: all((proxy) => proxy.away()), end: all((proxy) => proxy.open()) },
    { name: 'hanging', begin: all((proxy) => proxy.hang(true)), end: all((proxy) => proxy.hang(false)) },
    { name: 'slow', begin: () => slow(10 + random(MAX_DELAY_MS)), end: () => slow(0) },
    { name: 'connections cut', begin: all((proxy) => proxy.cut()), end: nothing },
    { name: 'connections lost without a word', begin: all((proxy) => proxy.strand()), end: nothing },
  ];
}
