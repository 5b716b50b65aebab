import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { Api } from '../support/api.ts';
import type { Answer, CredentialBody } from '../support/api.ts';
import { aCredential, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

/** What MongoDB answers when it cannot serve now; each is injected into reads, writes and commits. */
const CODES = [
  6, 7, 24, 43, 50, 64, 89, 91, 100, 112, 133, 134, 189, 202, 246, 251, 262, 365, 462, 9001, 10107, 11600, 11601, 11602,
  13388, 13435, 13436,
];
const STATEMENTS = ['find', 'aggregate', 'count', 'distinct', 'insert', 'update', 'delete', 'findAndModify'];

describe('the errors by which MongoDB says "not now"', () => {
  let service: Service;
  let admin: Api;
  let credential: CredentialBody;
  const client = new mongoose.mongo.MongoClient(process.env['MONGODB_URI'] ?? '');

  beforeAll(async () => {
    service = await startService();
    admin = new Api(service.url);
    const { key } = await anApi(admin);
    const policy = { apis: [key], tokenLimitPolicy: 'evict_oldest' };
    credential = await aCredential(admin, (await anOperation(admin)).id, policy);
  });
  afterAll(async () => {
    await failPoint('off', {});
    await client.close();
    await service.stop();
    await service.database.drop();
  });

  function failPoint(mode: unknown, data: object): Promise<unknown> {
    const scoped = { database: service.database.name, ...data };
    return client.db('admin').command({ configureFailPoint: 'failCommand', mode, data: scoped });
  }

  const patch = (): Promise<Answer> => admin.patch(pathOf(credential), { description: unique('edited') });

  /**
   * Asks while the fault lasts.
   * @returns for each answer what is wrong with it; nothing when it is a 503 as it should be
   */
  async function faultsOf(asks: Record<string, () => Promise<Answer>>): Promise<Record<string, unknown>> {
    const answers = Object.entries(asks).map(async ([name, ask]) => {
      const { status, headers, text } = await ask();
      return [name, status === 503 && headers.has('retry-after') ? 'well' : `${status} ${text}`] as const;
    });
    const faults = (await Promise.all(answers)).filter(([, fault]) => fault !== 'well');
    return Object.fromEntries(faults);
  }

  it.each(CODES)(
    'code %i gives 503 with Retry-After for reads, writes and commits, and the service works afterwards',
    async (code) => {
      await failPoint('alwaysOn', { failCommands: STATEMENTS, errorCode: code });
      const list = `/v1/operations/${credential.operationId}/credentials`;
      const statements = { read: () => admin.get(pathOf(credential)), list: () => admin.get(list), write: patch };
      expect(await faultsOf(statements)).toEqual({});
      await failPoint('off', {});
      await eventually(async () => (await patch()).status === 200);
      await failPoint('alwaysOn', { failCommands: ['commitTransaction'], errorCode: code });
      expect(await faultsOf({ write: patch, token: () => admin.token(credential) })).toEqual({});
      await failPoint('off', {});
      await eventually(async () => (await patch()).status === 200);
    },
  );

  it('a commit without majority acknowledgement in time gives 503, and the change may have been made', async () => {
    const writeConcernError = { code: 64, errmsg: 'waiting for replication timed out' };
    await failPoint('alwaysOn', { failCommands: ['commitTransaction'], writeConcernError });
    const answer = await patch();
    expect(answer).toMatchObject({
      status: 503,
      body: { detail: expect.stringMatching(/did not confirm|check whether it was made/) },
    });
    await failPoint('off', {});
    await eventually(async () => (await patch()).status === 200);
  });
});
