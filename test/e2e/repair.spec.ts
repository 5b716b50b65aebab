import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CredentialBody, EventBody, ProblemBody } from '../support/api.ts';
import { latchkey } from '../support/command-line.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';

let world: OAuthWorld;

beforeAll(async () => {
  world = await OAuthWorld.start();
});
afterAll(async () => {
  await world.stop();
});

const heads = () => world.service.database.collection<{ _id: string; seq: number; hash: string }>('chain_heads');
const repair = (...args: string[]) => latchkey(world.service.database, ['repair', ...args]);

/** Sets the head of the client's operation back by one event, as a dump of collections at different moments does. */
async function tear({ operationId }: CredentialBody): Promise<void> {
  const head = await (await heads()).findOne({ _id: operationId });
  const events = await world.service.database.collection<{ hash: string }>('events');
  const before = await events.findOne({ chain: operationId, seq: head!.seq - 1 });
  await (await heads()).updateOne({ _id: operationId }, { $set: { seq: head!.seq - 1, hash: before!.hash } });
}

async function readyz(): Promise<{ code: number; status: string; problems: { code: string; detail: string }[] }> {
  const answer = await fetch(`${world.url}/readyz`);
  return { code: answer.status, ...((await answer.json()) as { status: string; problems: [] }) };
}

describe('an operation whose event log does not end at its chain head', () => {
  it('refuses writes with log-inconsistent, shows in /readyz and /metrics, and is repaired by `latchkey repair`', async () => {
    const client = await world.client();
    const neighbour = await world.client();
    const token = await world.tokenOf(client);
    await tear(client);

    const path = `/v1/operations/${client.operationId}/credentials/${client.id}`;
    const refused = await world.api.delete<ProblemBody>(path);
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject({
      type: 'urn:latchkey:problem:log-inconsistent',
      detail: expect.stringContaining('latchkey repair'),
    });
    expect((await world.api.token(client)).status).toBe(503);
    expect((await world.api.token(neighbour)).status).toBe(200);
    expect(await world.isActive(token)).toBe(true);

    expect(await readyz()).toMatchObject({
      code: 200,
      status: 'degraded',
      problems: [{ code: 'log-inconsistent', detail: expect.stringContaining('latchkey repair') }],
    });
    const metrics = await (await fetch(`${world.url}/metrics`)).text();
    expect(metrics).toMatch(/^latchkey_log_inconsistent_chains 1$/m);
    const lines = world.service.log.filter(({ msg }) => msg?.includes('latchkey repair'));
    expect(lines).toMatchObject([{ level: 'error', chain: client.operationId, reason: 'beyond' }]);

    const dry = await repair('--dry-run', '--operation', client.operationId);
    expect(dry).toMatchObject({
      code: 1,
      stderr: '',
      stdout: expect.stringContaining('the head would be moved to 3 '),
    });
    const done = await repair();
    expect(done).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('the head was moved to 3 ') });
    expect(await repair('--dry-run')).toMatchObject({ code: 0 });

    await eventually(async () => (await world.api.token(client)).status === 200);
    expect(await readyz()).toMatchObject({ code: 200, status: 'ok', problems: [] });
    expect((await world.api.delete(path)).status).toBe(204);
    const { body } = await world.api.get<{ items: EventBody[] }>(
      `/v1/events?operationId=${client.operationId}&type=log.repaired.v1`,
    );
    expect(body.items).toMatchObject([{ seq: 4, data: { fromSeq: 2, toSeq: 3 }, actor: { id: 'repair' } }]);
    const proof = await world.api.get(`/v1/events/verify?operationId=${client.operationId}`);
    expect(proof.body).toMatchObject({ whole: true });
  });

  it('is not repaired if events are missing in the middle, and the reason is printed', async () => {
    const client = await world.client();
    await world.tokenOf(client);
    await world.tokenOf(client);
    const events = await world.service.database.collection('events');
    const gap = await events.findOne({ chain: client.operationId, seq: 2 });
    await events.deleteOne({ chain: client.operationId, seq: 2 });
    expect(await repair('--operation', client.operationId)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/cannot be mended\. Event 2 is missing, .* Restore a backup/),
    });
    await events.insertOne(gap!);
  });

  it('makes `latchkey repair` exit with 1 if it has no log', async () => {
    expect(await repair('--operation', 'op_none')).toMatchObject({ code: 1, stdout: '' });
  });
});
