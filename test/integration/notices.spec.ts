import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CreateOperationCommand } from '#catalogue';
import { CreateCredentialCommand, CredentialRepository, CredentialsModule, WriteNoticesCommand } from '#credentials';
import { UnitOfWork } from '#events';
import { StoreClock } from '#mongo';
import { TestDatabase } from '../support/database.ts';
import { callBy, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';
import { unique } from '../support/builders.ts';

const DAY_MS = 86_400_000;
const database = new TestDatabase();
const start = Date.now();
let instances: Instance[];

beforeAll(async () => {
  instances = [];
  for (let n = 0; n < 3; n += 1) instances.push(await startInstance(database, {}, [CredentialsModule]));
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => {
  for (const { app } of instances) await app.close();
  await database.drop();
});

/** Lets the store's clock of every instance show another time, in days from the start of the test. */
function goTo(days: number): void {
  jest.restoreAllMocks();
  for (const { app } of instances) {
    jest.spyOn(app.get(StoreClock), 'nowMs').mockReturnValue(start + days * DAY_MS);
  }
}

const day = (days: number): Date => new Date(start + days * DAY_MS);

/** Creates a credential in an operation of its own, and sets what cannot be reached without the passage of time. */
async function aCredential(set: object): Promise<string> {
  const { commands, app } = instances[0]!;
  const operation = await commands.execute(new CreateOperationCommand(callBy(), unique('operation'), false));
  const attributes = {
    ...{ name: unique('credential'), description: '', owner: null, contact: null, labels: {}, apis: [] },
    ...{ allowedIps: [], status: 'active', expiresAt: null, tokenTtlSeconds: 3600, tokenLimitPolicy: 'reject' },
  };
  const made = await commands.execute(new CreateCredentialCommand(callBy(), operation.id, attributes as never));
  const { id } = made.view;
  await app.get(CredentialRepository).model.updateOne({ _id: id }, { $set: set }).orFail();
  return id;
}

/** Runs the command on all instances simultaneously, as the workers of a fleet might. */
async function runEverywhere(): Promise<void> {
  await Promise.all(instances.map(({ commands }) => commands.execute(new WriteNoticesCommand())));
}

/** Lets something happen once, between the listing of what is due and the transaction that writes it. */
function afterListing({ app }: Instance, happen: () => Promise<unknown>): void {
  const unitOfWork = app.get(UnitOfWork);
  const run = unitOfWork.run.bind(unitOfWork);
  jest.spyOn(unitOfWork, 'run').mockImplementationOnce(async (...args) => {
    await happen();
    return run(...args);
  });
}

async function noticesOf(credentialId: string): Promise<string[]> {
  const events = await database.collection('events');
  const found = await events
    .find({ 'subject.id': credentialId, 'actor.id': 'notices' }, { sort: { seq: 1 } })
    .toArray();
  return found.map((event) => `${String(event['type'])} ${String((event['data'] as { daysLeft: number }).daysLeft)}`);
}

const secret = (id: string, set: object): object => ({
  ...{ id, digest: id, createdAt: day(0), expiresAt: null, lastUsedAt: null },
  ...set,
});

describe('notices', () => {
  it('are written 30, 14, 7 and 1 days before a credential expires, each once by three workers', async () => {
    const id = await aCredential({ expiresAt: day(40) });
    const counts: number[] = [];
    for (const days of [5, 11, 12, 27, 34, 34.5, 39.5, 40.5]) {
      goTo(days);
      await runEverywhere();
      await runEverywhere();
      counts.push((await noticesOf(id)).length);
    }
    expect(counts).toEqual([0, 1, 1, 2, 3, 3, 4, 4]);
    expect(await noticesOf(id)).toEqual([30, 14, 7, 1].map((days) => `credential.expiring.v1 ${days}`));
  });

  it('write only the nearest threshold after a downtime, and nothing again after a restart', async () => {
    const id = await aCredential({ expiresAt: day(40) });
    goTo(36);
    await runEverywhere();
    await instances.pop()!.app.close();
    instances.push(await startInstance(database, {}, [CredentialsModule]));
    goTo(36);
    await runEverywhere();
    expect(await noticesOf(id)).toEqual(['credential.expiring.v1 7']);
  });

  it('start again when the expiry of a credential moves', async () => {
    const id = await aCredential({ expiresAt: day(6) });
    goTo(0);
    await runEverywhere();
    await instances[0]!.app
      .get(CredentialRepository)
      .model.updateOne({ _id: id }, { $set: { expiresAt: day(20) } })
      .orFail();
    await runEverywhere();
    expect(await noticesOf(id)).toEqual(['credential.expiring.v1 7', 'credential.expiring.v1 30']);
  });

  it('are not written for a disabled credential', async () => {
    const id = await aCredential({ expiresAt: day(6), status: 'disabled' });
    goTo(0);
    await runEverywhere();
    expect(await noticesOf(id)).toEqual([]);
  });

  it('are written once if another worker writes them after this one has listed what is due', async () => {
    const id = await aCredential({ expiresAt: day(6) });
    goTo(0);
    const [first, second] = instances as [Instance, Instance];
    afterListing(first, () => second.commands.execute(new WriteNoticesCommand()));
    await first.commands.execute(new WriteNoticesCommand());
    expect(await noticesOf(id)).toEqual(['credential.expiring.v1 7']);
  });

  it('are not written for a credential that is disabled or extended after it was listed', async () => {
    const disabled = await aCredential({ expiresAt: day(6) });
    const extended = await aCredential({ expiresAt: day(6) });
    goTo(0);
    const [{ app, commands }] = instances as [Instance];
    const { model } = app.get(CredentialRepository);
    afterListing(instances[0]!, async () => {
      await model.updateOne({ _id: disabled }, { $set: { status: 'disabled' } }).orFail();
      await model.updateOne({ _id: extended }, { $set: { expiresAt: day(200) } }).orFail();
    });
    await commands.execute(new WriteNoticesCommand());
    expect([await noticesOf(disabled), await noticesOf(extended)]).toEqual([[], []]);
  });

  it('warn of a secret that ends by its expiry or by the maximum age of its operation', async () => {
    const expiring = await aCredential({ secrets: [secret('se_1', { expiresAt: day(10) })] });
    const inherited = { suspended: false, maxSecretAgeDays: 90, exemptSecretIds: [] as string[] };
    const aging = await aCredential({ inherited, secrets: [secret('se_2', { createdAt: day(-80) })] });
    const exempt = await aCredential({
      ...{ inherited: { ...inherited, exemptSecretIds: ['se_3'] } },
      secrets: [secret('se_3', { createdAt: day(-80) })],
    });
    goTo(0);
    await runEverywhere();
    expect(await noticesOf(expiring)).toEqual(['secret.expiring.v1 14']);
    expect(await noticesOf(aging)).toEqual(['secret.expiring.v1 14']);
    expect(await noticesOf(exempt)).toEqual([]);
  });

  it('warn that a rotation ends only if the old secret was used since', async () => {
    const old = { createdAt: day(-9), expiresAt: day(5) };
    const current = { createdAt: day(-2) };
    const inUse = await aCredential({
      secrets: [secret('se_4', current), secret('se_5', { ...old, lastUsedAt: day(-1) })],
    });
    const unused = await aCredential({
      secrets: [secret('se_6', current), secret('se_7', { ...old, lastUsedAt: day(-3) })],
    });
    goTo(0);
    await runEverywhere();
    expect(await noticesOf(inUse)).toEqual(['rotation.ending-in-use.v1 7']);
    expect(await noticesOf(unused)).toEqual([]);
  });
});
