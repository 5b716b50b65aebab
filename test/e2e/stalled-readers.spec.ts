import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, basic } from '../support/api.ts';
import type { SignIn } from '../support/api.ts';
import { aCredential, aUser, anOperation, unique } from '../support/builders.ts';
import { putEvents } from '../support/event-log/store.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

/** More than the kernel holds for a connection. */
const LONG = 'op_long';
/** More than the kernel holds too, but less than one part of an export. */
const SHORT = 'op_short';
const EXPORT = `/v1/events/export?operationId=${LONG}`;
const SHORT_EXPORT = `/v1/events/export?operationId=${SHORT}`;
/** Heap that the service may have, in MiB: not much more than it takes at rest. */
const HEAP_MIB = 256;
const READERS = 80;
/** For what the garbage collector leaves. */
const MAX_GROWTH_MIB = 200;
const ENDED_WITHIN_MS = 120_000;

let service: Service;
let admin: Api;
const asked = new Set<ClientRequest>();

beforeAll(async () => {
  service = await startService({ env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` } });
  admin = new Api(service.url);
  const at = new Date('2026-01-01T00:00:00.000Z');
  await putEvents(service.database, LONG, 6_000, at, { padding: 'x'.repeat(8_000) });
  await putEvents(service.database, SHORT, 90, at, { padding: 'x'.repeat(150_000) });
  await manyCredentials();
}, 240_000);
afterEach(() => {
  for (const each of asked) each.destroy();
  asked.clear();
});
afterAll(() => service.discard());

/** Credentials that make an access review of 20 MB. */
async function manyCredentials(): Promise<void> {
  const { id } = await anOperation(admin);
  const made = await aCredential(admin, id);
  const credentials = await service.database.collection<{ _id: string }>('credentials');
  const one = await credentials.findOne({ _id: made.id });
  const apis = Array.from({ length: 500 }, (_, index) => `api-${index}`);
  await credentials.insertMany(
    Array.from({ length: 80 }, (_, index) => ({
      ...one,
      ...{ _id: unique('cr'), clientId: unique('lk_ci'), operationId: `op_copy${index}`, apis },
    })),
  );
}

/** Asks, and reads nothing but the head and the first bytes of the answer. */
async function stalled(path: string, signIn: SignIn): Promise<IncomingMessage> {
  const asking = request(`${service.url}${path}`, { agent: false, headers: { authorization: basic(signIn) } }).end();
  asked.add(asking);
  asking.on('error', () => undefined);
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return answer;
}

/** Resident memory of the service, in MiB. */
function memory(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function people(count: number): Promise<SignIn[]> {
  const made: SignIn[] = [];
  while (made.length < count) {
    const person = await aUser(admin, ['auditor']);
    // the first sign-in costs Argon2, which has a limit of its own
    expect((await admin.as(person).get('/v1/me')).status).toBe(200);
    made.push(person);
  }
  return made;
}

/** Whether eight people can begin an export at the same time, so none of the eight before is running. */
async function allAreEnded(readers: readonly SignIn[]): Promise<boolean> {
  const answers = await Promise.all(readers.slice(-8).map((reader) => stalled(EXPORT, reader)));
  for (const { socket } of answers) socket.destroy();
  // an attempt counts towards the thirty that a person may begin in a minute
  await pause(3_000);
  return answers.every(({ statusCode }) => statusCode !== 429);
}

describe('callers who stop reading', () => {
  it('of an export or a review are eight at most, are ended after half a minute, and leave no memory taken', async () => {
    const readers = await people(READERS / 2);
    await buffer(await stalled(EXPORT, readers[0]!));
    const beforeMib = memory();
    const paths = [EXPORT, '/v1/reviews/access'];
    const answers = await Promise.all(
      Array.from({ length: READERS }, (_, index) => stalled(paths[index % 2]!, readers[index % readers.length]!)),
    );
    const [running, refused] = [200, 429].map((status) => answers.filter(({ statusCode }) => statusCode === status));
    // on a busy machine the store may be too slow for some of them: 503
    expect(running!.length).toBeGreaterThan(0);
    expect(running!.length).toBeLessThanOrEqual(8);
    expect(refused!.length).toBeGreaterThan(READERS / 2);
    for (const { headers } of refused!) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    const stalledMib = memory();
    await eventually(() => allAreEnded(readers), ENDED_WITHIN_MS);
    const read = await Promise.allSettled(running!.map((answer) => buffer(answer)));
    expect(read.map(({ status }) => status)).toEqual(running!.map(() => 'rejected'));
    const numbers = [beforeMib, stalledMib, memory()].map(Math.round);
    process.stderr.write(`· resident MiB before, with stalled readers, and after: ${numbers.join(', ')}\n`);
    for (const mib of numbers) expect(mib).toBeLessThan(beforeMib + MAX_GROWTH_MIB);
    // the service is still the one that was started: it would have died of it
    expect(service.stderr).toBe('');
  }, 400_000);

  it('are ended too when their answer is finished and waits to be read', async () => {
    const [reader] = await people(1);
    const answers = [await stalled(SHORT_EXPORT, reader!), await stalled(SHORT_EXPORT, reader!)];
    const another = async (): Promise<number> => (await admin.as(reader!).get('/v1/checkpoints/export')).status;
    expect(await another()).toBe(429);
    await eventually(async () => (await another()) === 200, ENDED_WITHIN_MS);
    const read = await Promise.allSettled(answers.map((answer) => buffer(answer)));
    expect(read.map(({ status }) => status)).toContain('rejected');
  }, 200_000);
});
