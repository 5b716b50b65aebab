import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { aCredential, anApi, anOperation, pathOf } from '../support/builders.ts';
import { startServices } from '../support/service.ts';
import type { Service } from '../support/service.ts';

describe('an operation with a blocked chain', () => {
  let services: Service[];
  let admin: Api;
  let other: Api;
  let api: string;

  beforeAll(async () => {
    services = await startServices(2);
    admin = new Api(services[0]!.url);
    other = new Api(services[1]!.url);
    api = (await anApi(admin)).key;
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await services[0]!.database.drop();
  });

  const aClient = async (): Promise<CredentialBody> =>
    aCredential(admin, (await anOperation(admin)).id, { apis: [api], tokenLimitPolicy: 'evict_oldest' });

  it('does not delay other operations while a writer hangs in a transaction', async () => {
    const [stuck, well] = [await aClient(), await aClient()];
    const client = await new mongoose.mongo.MongoClient(services[0]!.database.administratorUri).connect();
    const session = client.startSession();
    session.startTransaction();
    // as far as the store can tell, an instance that was stopped here
    const heads = client.db().collection<{ _id: string }>('chain_heads');
    await heads.updateOne({ _id: stuck.operationId }, { $inc: { turn: 1 } }, { session });
    try {
      const refused = Promise.all([
        admin.token(stuck),
        admin.token(stuck),
        admin.patch(pathOf(stuck), { description: 'x' }),
      ]);
      const served = Array.from({ length: 20 }, () => admin.token(well));
      expect(new Set((await Promise.all(served)).map(({ status }) => status))).toEqual(new Set([200]));
      expect((await refused).map(({ status }) => status)).toEqual([503, 503, 503]);
    } finally {
      await session.abortTransaction();
      await session.endSession();
      await client.close();
    }
    expect((await admin.token(stuck)).status).toBe(200);
  });

  it('is shared fairly: neither of two instances starves', async () => {
    const client = await aClient();
    const done = [0, 0];
    const until = performance.now() + 4_000;
    const call = async (which: 0 | 1): Promise<void> => {
      const instance = which === 0 ? admin : other;
      while (performance.now() < until) {
        const { status } = await instance.patch(
          pathOf(client),
          { description: String(Math.random()) },
          { ifMatch: '*' },
        );
        if (status === 200) done[which]! += 1;
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, n) => call(n % 2 === 0 ? 0 : 1)));
    const [least = 0, most = 0] = done.sort((a, b) => a - b);
    expect(least).toBeGreaterThan(most / 5);
    await settled(services[0]!.database);
    expect(await disagreements(services[0]!.database)).toEqual([]);
  });
});
