import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CredentialBody, OperationBody } from '../support/api.ts';
import { aCredential, pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';

describe('a suspended operation', () => {
  let world: OAuthWorld;
  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());

  const setStatus = async ({ operationId }: CredentialBody, status: string): Promise<void> => {
    const answer = await world.api.patch<OperationBody>(`/v1/operations/${operationId}`, { status });
    expect([answer.status, answer.body.status]).toEqual([200, status]);
  };
  const verdicts = async (client: CredentialBody, token: string): Promise<unknown[]> => [
    (await world.api.token(client)).status,
    (await world.apis[1]!.token(client)).status,
    await world.isActive(token),
    await world.isActive(token, { instance: 1 }),
  ];

  it('issues and accepts nothing on any instance, and everything is good again once it is active', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const token = await world.tokenOf(client);
    expect(await verdicts(client, token)).toEqual([200, 200, true, true]);
    await setStatus(client, 'suspended');
    expect(await verdicts(client, token)).toEqual([401, 401, false, false]);
    expect((await world.api.revoke(client, token)).status).toBe(401);
    await setStatus(client, 'active');
    expect(await verdicts(client, token)).toEqual([200, 200, true, true]);
  });

  it('has one event for each change, none for its credentials, and none for what is so already', async () => {
    const client = await world.client();
    await setStatus(client, 'suspended');
    await setStatus(client, 'suspended');
    const { operationId } = client;
    const events = await world.api.events({ operationId, type: 'operation.updated.v2' });
    expect(events.map(({ data }) => data)).toEqual([{ before: { status: 'active' }, after: { status: 'suspended' } }]);
    expect(await world.api.events({ operationId, type: 'credential.updated.v2' })).toEqual([]);
  });

  it('suspends a credential that is made meanwhile', async () => {
    const client = await world.client();
    await setStatus(client, 'suspended');
    const made = await aCredential(world.api, client.operationId, { apis: world.keys });
    expect((await world.api.token(made)).status).toBe(401);
    await setStatus(client, 'active');
    expect((await world.api.token(made)).status).toBe(200);
  });

  it('does not enable a disabled credential when it is active again', async () => {
    const client = await world.client();
    const token = await world.tokenOf(client);
    await world.api.patch(pathOf(client), { status: 'disabled' });
    await setStatus(client, 'suspended');
    await setStatus(client, 'active');
    expect(await world.isActive(token)).toBe(false);
    expect((await world.api.token(client)).status).toBe(401);
  });

  it('gives out no token to a request that began after the answer, while both instances are asked all the time', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    let isAnswered = false;
    let isOver = false;
    const late: number[] = [];
    const ask = async (instance: number): Promise<void> => {
      while (!isOver) {
        const wasAnswered = isAnswered;
        const { status } = await world.apis[instance]!.token(client);
        if (wasAnswered) late.push(status);
      }
    };
    const asking = [ask(0), ask(1)];
    try {
      // the operation's chain is busy: an edit may have to be sent again
      const edit = { status: 'suspended' };
      await eventually(
        async () => (await world.api.patch(`/v1/operations/${client.operationId}`, edit)).status === 200,
        60_000,
      );
      isAnswered = true;
      await eventually(() => late.length >= 20, 60_000);
    } finally {
      isOver = true;
      await Promise.all(asking);
    }
    expect(late.filter((status) => status === 200)).toEqual([]);
  });
});
