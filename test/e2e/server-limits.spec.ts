import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, basic } from '../support/api.ts';
import type { SignIn } from '../support/api.ts';
import { aUser, anOperation } from '../support/builders.ts';
import { putEvents } from '../support/event-log/store.ts';
import { ADMIN, eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const CHAIN = 'op_large';
const PER_ADDRESS = 40;

let service: Service;
let admin: Api;
const open = new Set<{ destroy(): void }>();

beforeAll(async () => {
  service = await startService({ env: { CONNECTION_LIMIT_PER_ADDRESS: String(PER_ADDRESS) } });
  admin = new Api(service.url);
  const padding = 'x'.repeat(8_000);
  await putEvents(service.database, CHAIN, 6_000, new Date('2026-01-01T00:00:00.000Z'), { padding });
}, 240_000);

afterEach(() => {
  for (const opened of open) opened.destroy();
  open.clear();
});

afterAll(() => service.discard());

/** A connection that sends this and then nothing more. */
async function connection(bytes = ''): Promise<Socket> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  open.add(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

/** An export whose reader takes its head and nothing of its body. */
async function stalledExport(signIn: SignIn = ADMIN): Promise<IncomingMessage> {
  const asked = request(`${service.url}/v1/events/export?operationId=${CHAIN}`, {
    agent: false,
    headers: { authorization: basic(signIn) },
  }).end();
  open.add(asked);
  asked.on('error', () => undefined);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return answer;
}

describe('slow senders', () => {
  it('lose their connection after twenty seconds, at any stage of the request', async () => {
    const head = 'POST /oauth2/token HTTP/1.1\r\nHost: x\r\n';
    const form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n';
    const startedAt = performance.now();
    const sockets = await Promise.all(['', head, `${head}${form}grant`].map((bytes) => connection(bytes)));
    const closedAfterMs = await Promise.all(
      sockets.map(async (socket) => {
        socket.resume();
        await once(socket, 'close');
        return performance.now() - startedAt;
      }),
    );
    for (const afterMs of closedAfterMs) {
      expect(afterMs).toBeGreaterThan(15_000);
      expect(afterMs).toBeLessThan(33_000);
    }
  }, 90_000);
});

describe('connections of one address', () => {
  it('are closed beyond the limit, and accepted again when others are closed', async () => {
    const many = await Promise.all(Array.from({ length: 2 * PER_ADDRESS }, () => connection()));
    const isClosed = (socket: Socket): boolean => socket.destroyed || socket.readableEnded;
    for (const socket of many) socket.resume();
    await eventually(() => many.filter(isClosed).length >= PER_ADDRESS);
    expect(many.filter((socket) => !isClosed(socket)).length).toBeGreaterThan(0);
    await service.logged(({ level, msg }) => level === 'warn' && /connection limit reached/.test(msg ?? ''));
    for (const socket of many) socket.destroy();
    await eventually(async () => (await admin.get('/v1/me').catch(() => ({ status: 0 }))).status === 200);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(Number(/^latchkey_connections_refused_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(
      PER_ADDRESS,
    );
  });
});

describe('exports', () => {
  it('of one person are limited to two at a time: the third gets 429 with Retry-After; other people are unaffected', async () => {
    await stalledExport();
    await stalledExport();
    for (const path of ['/v1/events/export', '/v1/events/verify', '/v1/checkpoints/export']) {
      const refused = await admin.get(path);
      expect(refused.status).toBe(429);
      expect(refused.body['type']).toBe('urn:latchkey:problem:too-many-exports');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const other = await aUser(admin, ['auditor']);
    expect((await admin.as(other).get('/v1/checkpoints/export')).status).toBe(200);
    for (const opened of open) opened.destroy();
    await eventually(async () => (await admin.get('/v1/checkpoints/export')).status === 200);
  });

  it('are limited to eight at a time in total', async () => {
    const people: SignIn[] = [];
    while (people.length < 9) people.push(await aUser(admin, ['auditor']));
    for (const person of people.slice(0, 8)) await stalledExport(person);
    expect((await admin.as(people[8]!).get(`/v1/events/export?operationId=${CHAIN}`)).status).toBe(429);
    for (const opened of open) opened.destroy();
    await eventually(async () => (await admin.as(people[8]!).get('/v1/checkpoints/export')).status === 200);
  });

  it('are limited to thirty per minute and person, so that reading cannot grow the log', async () => {
    const person = admin.as(await aUser(admin, ['auditor']));
    const { id } = await anOperation(admin);
    const statuses: number[] = [];
    for (let count = 0; count < 35; count += 1) {
      statuses.push((await person.get(`/v1/events/export?operationId=${id}`)).status);
    }
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(30);
    expect(statuses.at(-1)).toBe(429);
  });

  it('answer HEAD with headers only, without running or logging the export', async () => {
    const { id } = await anOperation(admin);
    for (let count = 0; count < 40; count += 1) {
      const head = await admin.call('HEAD', `/v1/events/export?operationId=${id}&format=csv`);
      expect(head.status).toBe(200);
      expect(head.headers.get('content-type')).toContain('text/csv');
      expect(head.headers.get('content-disposition')).toContain(id);
    }
    expect((await admin.call('HEAD', '/v1/events/export?operationId=op_unknown')).status).toBe(404);
    expect((await admin.call('HEAD', `/v1/events/verify?operationId=${id}`)).status).toBe(200);
    expect((await admin.call('HEAD', '/v1/checkpoints/export')).status).toBe(200);
    expect(await admin.events({ type: 'events.exported.v1', operationId: id })).toEqual([]);
  });

  it('are aborted when the reader stalls for half a minute', async () => {
    const person = await aUser(admin, ['auditor']);
    const answers = [await stalledExport(person), await stalledExport(person)];
    const another = async (): Promise<number> => (await admin.as(person).get('/v1/checkpoints/export')).status;
    expect(await another()).toBe(429);
    await eventually(async () => (await another()) === 200, 90_000);
    // what was still on its way is no whole export; the other one may be in time to go on
    const read = await Promise.allSettled(answers.map((answer) => buffer(answer)));
    expect(read.map((result) => (result.status === 'rejected' ? String(result.reason) : ''))).toContain(
      'Error: aborted',
    );
  }, 120_000);
});
