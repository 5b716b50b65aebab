import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Api, basic } from '../support/api.ts';
import { putEvents } from '../support/event-log/store.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const EVENTS = 28_000;
const PADDING_BYTES = 8_000;
/** Heap that the service may have, in MiB: what it takes at rest, and far less than what is exported. */
const HEAP_MIB = 224;
const CHAINS = ['op_first', 'op_second', 'op_third'];

let service: Service;

beforeAll(async () => {
  service = await startService({ env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` } });
  const padding = 'x'.repeat(PADDING_BYTES);
  for (const chain of CHAINS) {
    await putEvents(service.database, chain, EVENTS / CHAINS.length, new Date('2026-01-01T00:00:00.000Z'), { padding });
  }
}, 240_000);
afterAll(() => service.discard());

async function download(query: string, each: () => Promise<void> = () => Promise.resolve()) {
  const response = await fetch(`${service.url}/v1/events/export${query}`, { headers: { authorization: basic(ADMIN) } });
  let bytes = 0;
  let lines = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
    await each();
  }
  return { bytes, lines };
}

async function heapAtRest(): Promise<number> {
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  return Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(metrics)?.[1]);
}

describe('a log that is larger than the memory of the service', () => {
  it('is exported, also to a slow reader', async () => {
    const roomBytes = HEAP_MIB * 1024 * 1024 - (await heapAtRest());
    const whole = await download('');
    expect(whole.lines).toBeGreaterThanOrEqual(EVENTS);
    expect(whole.bytes).toBeGreaterThan(1.5 * roomBytes);
    const slowly = (): Promise<void> => pause(2);
    const parts = await Promise.all([
      download('?operationId=op_first&format=csv'),
      download('?operationId=op_second', slowly),
    ]);
    for (const { lines } of parts) expect(lines).toBeGreaterThan(EVENTS / CHAINS.length);
    // the service is still the one that was started: it would have died of it
    expect(service.stderr).toBe('');
  }, 240_000);

  it('is verified and signed', async () => {
    const api = new Api(service.url);
    const proof = await api.get<{ whole: boolean; chains: { events: number }[] }>('/v1/events/verify');
    expect(proof.body.whole).toBe(true);
    expect(proof.body.chains.reduce((sum, { events }) => sum + events, 0)).toBeGreaterThanOrEqual(EVENTS);
    expect((await api.post('/v1/checkpoints', { operationId: CHAINS[0] })).body).toMatchObject({ faults: [] });
    expect(service.stderr).toBe('');
  }, 240_000);
});

describe('an unfinished export', () => {
  let other: Service;

  beforeEach(async () => {
    other = await startService({ database: service.database });
  });
  afterEach(() => other.stop());

  /** Asks for an export, and gets the first of it. */
  async function begin(): Promise<IncomingMessage> {
    // by a connection of its own: fetch makes others ahead of need
    const url = `${other.url}/v1/events/export`;
    const asked = request(url, { agent: false, headers: { authorization: basic(ADMIN) } }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    await once(answer, 'readable');
    answer.read();
    return answer;
  }

  it('ends when its reader disconnects', async () => {
    const stoppedAt = performance.now();
    expect(await other.stop()).toBe(0);
    const usualMs = performance.now() - stoppedAt;
    await other.start();
    const answer = await begin();
    answer.destroy();
    // an export under way would keep it from stopping for two seconds
    const before = performance.now();
    expect(await other.stop()).toBe(0);
    expect(performance.now() - before).toBeLessThan(usualMs + 1_900);
  });

  it('is aborted when the service shuts down, and the service stops in time', async () => {
    const answer = await begin();
    expect(await other.stop('SIGTERM')).toBe(0);
    await expect(buffer(answer)).rejects.toThrow('aborted');
  });
});
