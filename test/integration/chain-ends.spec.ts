import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SignCheckpointsCommand, VerifyLogQuery } from '#audit';
import { chainName } from '#chain';
import { ChainRepair } from '#recovery';
import { emptyHead } from '../../libs/chain/chain.ts';
import { ChainHealth } from '../../libs/events/health/chain-health.ts';
import { TestDatabase } from '../support/database.ts';
import { putEvents, tell } from '../support/event-log/store.ts';
import { startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';

const database = new TestDatabase();
let instance: Instance;
let named = 0;

beforeAll(async () => {
  instance = await startInstance(database);
});
afterAll(async () => {
  await instance.app.close();
  await database.drop();
});

const events = () => database.collection<{ _id: string; chain: string; seq: number; hash: string }>('events');
const heads = () => database.collection<{ _id: string; seq: number; hash: string }>('chain_heads');

/** A chain of its own with so many events. */
async function aChain(count: number): Promise<string> {
  const chain = `op_torn_${(named += 1)}`;
  await putEvents(database, chain, count);
  return chain;
}

async function setHead(chain: string, seq: number): Promise<void> {
  const event = await (await events()).findOne({ chain: chainName(chain), seq });
  const hash = event?.hash ?? emptyHead(chainName(chain)).hash;
  await (await heads()).updateOne({ _id: chain }, { $set: { seq, hash } });
}

async function faultOf(chain: string): Promise<unknown> {
  const { chains } = await instance.queries.execute(new VerifyLogQuery(chainName(chain)));
  return chains[0]?.fault;
}

const diagnose = (chain: string) => instance.app.get(ChainRepair).diagnose(chainName(chain));

async function mend(chain: string): Promise<void> {
  const diagnosis = await diagnose(chain);
  if (diagnosis.state !== 'repairable') throw new Error(`not repairable but ${diagnosis.state}`);
  await instance.app.get(ChainRepair).repair(diagnosis);
}

describe('a chain whose head and events disagree', () => {
  it('is not whole if events are stored after the head', async () => {
    const chain = await aChain(6);
    await setHead(chain, 4);
    expect(await faultOf(chain)).toEqual({ seq: 5, reason: 'beyond' });
  });

  it('is not whole if events are stored after a gap after the head', async () => {
    const chain = await aChain(6);
    await setHead(chain, 4);
    await (await events()).deleteOne({ chain: chainName(chain), seq: 5 });
    expect(await faultOf(chain)).toEqual({ seq: 6, reason: 'beyond' });
  });

  it('is not whole if the head has a different hash than its event', async () => {
    const chain = await aChain(3);
    await (await heads()).updateOne({ _id: chain }, { $set: { hash: 'f'.repeat(64) } });
    expect(await faultOf(chain)).toEqual({ seq: 3, reason: 'head' });
  });

  it('is not whole if the event of the head is missing', async () => {
    const chain = await aChain(5);
    await (await events()).deleteMany({ chain: chainName(chain), seq: { $gt: 3 } });
    expect(await faultOf(chain)).toEqual({ seq: 4, reason: 'tail' });
  });

  it('is not whole without a head', async () => {
    const chain = await aChain(2);
    await (await heads()).deleteOne({ _id: chain });
    expect(await faultOf(chain)).toEqual({ seq: 1, reason: 'beyond' });
  });

  it('refuses writes with its own error code, without retrying', async () => {
    const chain = await aChain(5);
    await setHead(chain, 4);
    await expect(tell(instance, chain, {}, 60_000)).rejects.toMatchObject({ code: 'log-inconsistent' });
    // the scan may know chains of other tests
    expect(instance.app.get(ChainHealth).inconsistentCount).toBeGreaterThan(0);
    expect(await (await events()).countDocuments({ chain })).toBe(5);
  });

  it('is found by the scan, refuses writes, and accepts them again after the repair', async () => {
    const chain = await aChain(5);
    const other = await aChain(1);
    await (await events()).deleteOne({ chain: chainName(chain), seq: 5 });
    await instance.app.get(ChainHealth).scan();
    await expect(tell(instance, chain)).rejects.toMatchObject({ code: 'log-inconsistent' });
    await tell(instance, other);
    await mend(chain);
    await instance.app.get(ChainHealth).scan();
    await tell(instance, chain);
    expect(await faultOf(chain)).toBeNull();
  });
});

describe('the repair', () => {
  it('moves the head to the last event of the log, and reports both positions', async () => {
    const chain = await aChain(6);
    const before = await (await heads()).findOne({ _id: chain });
    await setHead(chain, 4);
    const from = await (await heads()).findOne({ _id: chain });
    await mend(chain);
    const [event] = await (await events()).find({ chain: chainName(chain), seq: 7 }).toArray();
    expect(event).toMatchObject({
      type: 'log.repaired.v1',
      actor: { type: 'system', id: 'repair' },
      data: { fromSeq: 4, fromHash: from?.hash, toSeq: 6, toHash: before?.hash },
    });
    expect(await faultOf(chain)).toBeNull();
    await tell(instance, chain);
    expect((await diagnose(chain)).state).toBe('sound');
  });

  it('does not repair a chain whose missing events are covered by a checkpoint', async () => {
    const chain = await aChain(6);
    await instance.commands.execute(new SignCheckpointsCommand(undefined, chainName(chain)));
    await (await events()).deleteMany({ chain: chainName(chain), seq: { $gt: 4 } });
    expect(await diagnose(chain)).toMatchObject({
      state: 'unrepairable',
      reason: expect.stringMatching(/^Event 5 is missing, but a signed checkpoint proves that it existed\./),
    });
  });

  it('repairs a chain without a head', async () => {
    const chain = await aChain(3);
    await (await heads()).deleteOne({ _id: chain });
    expect(await instance.app.get(ChainRepair).chains()).toContain(chain);
    await mend(chain);
    expect(await faultOf(chain)).toBeNull();
  });

  it('repairs every inconsistent end that hides nothing, refuses the others, and removes no event', async () => {
    const tear = fc.oneof(
      fc.record({ kind: fc.constant('head-behind' as const), at: fc.integer({ min: 1, max: 11 }) }),
      fc.record({ kind: fc.constant('head-ahead' as const), at: fc.integer({ min: 1, max: 11 }) }),
      fc.record({ kind: fc.constant('gap' as const), at: fc.integer({ min: 1, max: 11 }) }),
      fc.record({ kind: fc.constant('wrong-hash' as const), at: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ kind: fc.constant('altered' as const), at: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ kind: fc.constant('wrong-head' as const), at: fc.constant(12) }),
    );
    await fc.assert(
      fc.asyncProperty(tear, async ({ kind, at }) => {
        const chain = await aChain(12);
        const stored = await events();
        if (kind === 'head-behind') await setHead(chain, at);
        if (kind === 'head-ahead') await stored.deleteMany({ chain: chainName(chain), seq: { $gt: at } });
        if (kind === 'gap') await stored.deleteOne({ chain: chainName(chain), seq: at });
        if (kind === 'wrong-hash')
          await stored.updateOne({ chain: chainName(chain), seq: at }, { $set: { hash: '0'.repeat(64) } });
        if (kind === 'altered')
          await stored.updateOne({ chain: chainName(chain), seq: at }, { $set: { requestId: 'forged' } });
        if (kind === 'wrong-head') await (await heads()).updateOne({ _id: chain }, { $set: { hash: 'f'.repeat(64) } });
        const left = await stored.find({ chain }).sort({ seq: 1 }).toArray();
        expect(await faultOf(chain)).not.toBeNull();
        const diagnosis = await diagnose(chain);
        const repairable = ['head-behind', 'head-ahead', 'wrong-head'].includes(kind);
        expect(diagnosis.state).toBe(repairable ? 'repairable' : 'unrepairable');
        if (repairable) {
          await mend(chain);
          expect(await faultOf(chain)).toBeNull();
        } else {
          expect(diagnosis).toMatchObject({ reason: expect.stringMatching(/\. .*Restore a backup/) });
        }
        const after = await stored.find({ chain }).sort({ seq: 1 }).toArray();
        expect(after.slice(0, left.length)).toEqual(left);
        expect(after.length).toBe(left.length + (repairable ? 1 : 0));
      }),
      { numRuns: 40 },
    );
  });
});
