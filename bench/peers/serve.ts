import type { AddressInfo } from 'node:net';

/** The Redis of the peers. @throws Error if it is not configured */
export function redisUrl(): string {
  const url = process.env['REDIS_URL'];
  if (url === undefined) throw new Error('REDIS_URL is not set');
  return url;
}

/** The requested port; 0 for any. */
export function port(): number {
  return Number(process.env['PORT'] ?? 0);
}

/** Announces the server's address to the benchmark, and ends the server on SIGTERM. */
export function listening(address: AddressInfo | string | null): void {
  process.on('SIGTERM', () => process.exit(0));
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  process.stdout.write(`${JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${address.port}` })}\n`);
}
