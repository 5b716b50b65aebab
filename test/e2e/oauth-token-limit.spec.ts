import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';

/** Races to try: each one begins at another moment of the delete. */
const RACES = Number(process.env['LATCHKEY_RACES'] ?? 25);

let world: OAuthWorld;
const statuses = (answers: readonly Answer[]): Record<number, number> =>
  answers.reduce<Record<number, number>>(
    (counts, { status }) => ({ ...counts, [status]: (counts[status] ?? 0) + 1 }),
    {},
  );
const tokensOf = (answers: readonly Answer[]): string[] =>
  answers.filter(({ status }) => status === 200).map(({ body }) => body['access_token'] as string);
const storedOf = async (credentialId: string): Promise<number> =>
  (await world.service.database.collection('tokens')).countDocuments({ credentialId });

beforeAll(async () => {
  world = await OAuthWorld.start(2);
});

afterAll(() => world.stop());

describe('the limit of ten live tokens per credential', () => {
  it('gives 100 parallel requests at two instances exactly 10 tokens and 10 events, and 90 times 429 with Retry-After', async () => {
    const client = await world.client();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => world.apis[index % 2]!.token(client)));
    expect(statuses(answers)).toStrictEqual({ 200: 10, 429: 90 });
    expect(await storedOf(client.id)).toBe(10);
    for (const token of tokensOf(answers)) expect(await world.isActive(token, { instance: 1 })).toBe(true);
    for (const { body, headers } of answers.filter(({ status }) => status === 429)) {
      expect(body).toMatchObject({ error: 'temporarily_unavailable' });
      const seconds = Number(headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(3_500);
      expect(seconds).toBeLessThanOrEqual(3_600);
    }
    expect(await world.api.events({ type: 'token.issued.v1', subject: client.id })).toHaveLength(10);
  });

  it('announces in Retry-After when the first token expires, and then issues another', async () => {
    const client = await world.client({ tokenTtlSeconds: 60 });
    for (let count = 0; count < 10; count += 1) await world.tokenOf(client);
    const tokens = await world.service.database.collection('tokens');
    const first = await tokens.findOne({ credentialId: client.id, slot: 3 });
    await tokens.updateOne({ _id: first!._id }, { $set: { expiresAt: new Date(Date.now() + 3_000) } });
    const refused = await world.api.token(client);
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(4);
    await pause(seconds * 1_000);
    expect((await world.api.token(client)).status).toBe(200);
    expect((await world.api.token(client)).status).toBe(429);
  });

  it('does not count an expired token that is not pruned yet', async () => {
    const client = await world.client();
    const old = await Promise.all(Array.from({ length: 10 }, () => world.tokenOf(client)));
    const tokens = await world.service.database.collection('tokens');
    await tokens.updateMany({ credentialId: client.id }, { $set: { expiresAt: new Date(Date.now() - 1_000) } });
    const answers = await Promise.all(Array.from({ length: 11 }, () => world.api.token(client)));
    expect(statuses(answers)).toStrictEqual({ 200: 10, 429: 1 });
    expect(await storedOf(client.id)).toBe(10);
    await eventually(async () => !(await world.isActive(old[0]!)));
    for (const token of old) expect(await world.isActive(token)).toBe(false);
  });

  it('lets each further token end the oldest with evict_oldest, so that ten are live at most', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const issued: string[] = [];
    for (let count = 0; count < 12; count += 1) issued.push(await world.tokenOf(client));
    const active = (instance: number): Promise<boolean[]> =>
      Promise.all(issued.map((token) => world.isActive(token, { instance })));
    const expected = issued.map((_, index) => index >= 2);
    expect(await active(0)).toStrictEqual(expected);
    await eventually(async () => {
      expect(await active(1)).toStrictEqual(expected);
      return true;
    });
    expect(await storedOf(client.id)).toBe(10);
    const events = await world.api.events({ type: 'token.issued.v1', subject: client.id });
    expect(events.filter(({ data }) => 'evictedTokenId' in data)).toHaveLength(2);
  });

  it('leaves ten tokens after 60 parallel requests with evict_oldest', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => world.apis[index % 2]!.token(client)));
    expect(statuses(answers)).toStrictEqual({ 200: 60 });
    expect(await storedOf(client.id)).toBe(10);
  });

  it('is independent for each credential', async () => {
    const [one, other] = [await world.client(), await world.client()];
    for (let count = 0; count < 10; count += 1) await world.tokenOf(one);
    expect((await world.api.token(one)).status).toBe(429);
    expect((await world.api.token(other)).status).toBe(200);
  });
});

describe('issuing during a deletion', () => {
  it('leaves no active token after the DELETE is answered, whenever the token was issued', async () => {
    let issuedBeforeTheEnd = 0;
    for (let race = 0; race < RACES; race += 1) {
      const client = await world.client();
      const tokens = [await world.tokenOf(client)];
      let deleted = false;
      const issuing = world.apis.map(async (api) => {
        while (!deleted) {
          const answer = await api.token(client);
          if (answer.status === 200) tokens.push(answer.body['access_token'] as string);
          else expect([401, 429]).toContain(answer.status);
          if (answer.status === 429) await pause(5);
        }
        // issued after
        expect((await api.token(client)).status).toBe(401);
      });
      await pause((race % 8) * 4);
      expect((await world.apis[race % 2]!.delete(pathOf(client))).status).toBe(204);
      deleted = true;
      const verdicts = await Promise.all(
        tokens.flatMap((token) => [0, 1].map((instance) => world.isActive(token, { instance }))),
      );
      await Promise.all(issuing);
      const late = await Promise.all(tokens.map((token) => world.isActive(token, { instance: race % 2 })));
      expect([...verdicts, ...late]).not.toContain(true);
      issuedBeforeTheEnd += tokens.length - 1;
    }
    expect(issuedBeforeTheEnd).toBeGreaterThan(RACES); // or there was no race
  }, 120_000);
});

describe('an edit applies immediately on another instance, to issuing and verification', () => {
  it.each([
    ['Allowed IPs', { allowedIps: ['192.0.2.1'] }, 401],
    ['APIs', { apis: [] }, 400],
    ['disabled', { status: 'disabled' }, 401],
    ['expiry', 'now', 401],
  ])('%s', async (_what, edit, refusal) => {
    for (let round = 0; round < 3; round += 1) {
      const client = await world.client();
      const token = await world.tokenOf(client);
      const at = (instance: number): Promise<boolean> => world.isActive(token, { clientIp: '127.0.0.1', instance });
      expect([await at(0), await at(1)]).toStrictEqual([true, true]);
      // both remember it now
      const expiresAt = new Date(Date.now() + 400).toISOString();
      const { status } = await world.api.patch(pathOf(client), edit === 'now' ? { expiresAt } : (edit as object));
      expect(status).toBe(200);
      if (edit === 'now') await pause(500);
      expect(await Promise.all([at(0), at(1)])).toStrictEqual([false, false]);
      const answers = await Promise.all(world.apis.map((api) => api.token(client)));
      expect(answers.map((answer) => answer.status)).toStrictEqual([refusal, refusal]);
    }
  });

  it('also when it grants rights back', async () => {
    const client = await world.client();
    const token = await world.tokenOf(client);
    await world.api.patch(pathOf(client), { status: 'disabled' });
    expect(await world.isActive(token, { instance: 1 })).toBe(false);
    await world.api.patch(pathOf(client), { status: 'active' });
    for (const instance of [0, 1]) expect(await world.isActive(token, { instance })).toBe(true);
  });
});
