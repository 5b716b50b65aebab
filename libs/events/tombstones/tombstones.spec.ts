import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chainName } from '#chain';
import type { LogEvent } from '#chain';
import { eventCatalogue } from '#event-types';
import { ChainMarks } from './chain-marks.ts';
import { compactTombstones } from './compaction.ts';
import { encodeTombstone, markOf, parseTombstone } from './tombstone.ts';
import type { Tombstone } from './tombstone.ts';
import { readTombstones } from './tombstone-files.ts';
import type { UnreadableLine } from './tombstone-files.ts';
import { TombstoneWriter } from './tombstone-writer.ts';
import { endsSomething, tombstonesOf } from './tombstones-of.ts';
import { UserStatuses } from './user-statuses.ts';

const HASH = 'a'.repeat(64);
const NOW = Date.parse('2026-11-27T12:00:00.000Z');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-tombstones-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function aTombstone(overrides: Partial<Tombstone> = {}): Tombstone {
  const place = { chain: chainName('op_1'), seq: 1, hash: HASH, at: '2026-11-20T12:00:00.000Z' };
  return { v: 1, kind: 'credential', ids: ['cr_1'], ...place, ...overrides };
}

function anEvent(type: string, data: LogEvent['data'], subject = { type: 'credential', id: 'cr_1' }): LogEvent {
  return {
    id: 'ev_1',
    seq: 7,
    operationId: 'op_1',
    type,
    at: '2026-11-27T10:00:00.000Z',
    actor: { type: 'user', id: 'us_1', ip: null },
    subject,
    outcome: 'success',
    data,
    requestId: null,
    prevHash: HASH,
    hash: HASH,
  };
}

async function readAll(): Promise<{ tombstones: Tombstone[]; unreadable: UnreadableLine[] }> {
  const unreadable: UnreadableLine[] = [];
  const tombstones: Tombstone[] = [];
  for await (const line of readTombstones(folder, (fault) => unreadable.push(fault))) tombstones.push(line);
  return { tombstones, unreadable };
}

const put = (day: string, writer: string, text: string): void =>
  writeFileSync(join(folder, `tombstones-${day}-${writer}.ndjson`), text);

describe('tombstones of an event', () => {
  it('name the deleted credential, and the position of the event', () => {
    expect(tombstonesOf(anEvent('credential.deleted.v1', { clientId: 'lk_ci_1', name: 'x' }))).toEqual([
      { v: 1, kind: 'credential', ids: ['cr_1'], chain: 'op_1', seq: 7, hash: HASH, at: '2026-11-27T10:00:00.000Z' },
    ]);
  });

  it('name revoked tokens and their credential', () => {
    const event = anEvent('token.revoked.v1', { tokenIds: ['tk_1', 'tk_2'], count: 2, reason: 'revoked' });
    expect(tombstonesOf(event)).toMatchObject([{ kind: 'token', ids: ['tk_1', 'tk_2'], of: 'cr_1' }]);
  });

  it('name ended secrets, and the one that a rotation ends later', () => {
    const data = { secretId: 'se_3', endedSecretIds: ['se_1'], previousSecretId: 'se_2' };
    const event = anEvent('credential.secret-rotated.v2', { ...data, previousEndsAt: '2026-11-28T10:00:00.000Z' });
    expect(tombstonesOf(event)).toMatchObject([
      { kind: 'secret', ids: ['se_1'], of: 'cr_1' },
      { kind: 'secret', ids: ['se_2'], of: 'cr_1', endsAt: '2026-11-28T10:00:00.000Z' },
    ]);
  });

  it('name the removed user, the ended sessions and the deleted API key', () => {
    const user = { type: 'user', id: 'us_1' };
    const told = [
      anEvent('user.deleted.v1', { username: 'ada' }, user),
      anEvent('sessions.ended.v1', { sessionIds: ['ss_1', 'ss_2'], reason: 'signed-out' }, user),
      anEvent('api-key.deleted.v1', { keyId: 'ky_1', name: 'Terraform' }, user),
    ].flatMap(tombstonesOf);
    expect(told.map(({ kind, ids, of }) => [kind, ids, of])).toEqual([
      ['user', ['us_1'], undefined],
      ['session', ['ss_1', 'ss_2'], 'us_1'],
      ['api-key', ['ky_1'], 'us_1'],
    ]);
  });

  it('say that a user was disabled or enabled, and nothing of other edits', () => {
    const edit = (before: string, after: string): LogEvent => {
      const data = { before: { status: before }, after: { status: after }, passwordChanged: false };
      return anEvent('user.updated.v2', data, { type: 'user', id: 'us_1' });
    };
    expect(tombstonesOf(edit('active', 'disabled'))).toMatchObject([{ kind: 'user-disabled', ids: ['us_1'] }]);
    expect(tombstonesOf(edit('disabled', 'active'))).toMatchObject([{ kind: 'user-enabled', ids: ['us_1'] }]);
    expect(tombstonesOf(edit('active', 'active'))).toEqual([]);
    expect(tombstonesOf(anEvent('user.updated.v1', { changed: ['roles'] }))).toEqual([]);
  });

  it('do not exist for an event that ends nothing', () => {
    expect(tombstonesOf(anEvent('token.issued.v1', { tokenId: 'tk_1' }))).toEqual([]);
  });

  it('exist for every type of the catalogue that deletes, ends or revokes something', () => {
    const types = eventCatalogue.map(({ type }) => type);
    const ending = types.filter((type) =>
      /^(credential|resource-server|token|user|sessions|api-key)\.(.*(deleted|revoked|rotated|ended))/.test(type),
    );
    expect(ending.length).toBeGreaterThan(7);
    expect(ending.filter((type) => !endsSomething(type))).toEqual([]);
  });

  it('are read back unchanged', () => {
    const tombstone = aTombstone({ endsAt: '2026-11-28T10:00:00.000Z', of: 'cr_9' });
    expect(parseTombstone(encodeTombstone(tombstone).trimEnd())).toEqual(tombstone);
  });
});

describe('tombstone files', () => {
  it('keep all of 200 simultaneous tombstones, in far fewer writes', async () => {
    const writer = new TombstoneWriter(folder, () => '2026-11-27');
    const ids = Array.from({ length: 200 }, (_, index) => `cr_${index}`);
    await Promise.all(ids.map((id) => writer.append([aTombstone({ ids: [id] })])));
    await writer.close();
    const { tombstones } = await readAll();
    expect(tombstones.flatMap((line) => line.ids).sort()).toEqual([...ids].sort());
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('are separate for each day and writer', async () => {
    let day = '2026-11-26';
    const [one, other] = [new TombstoneWriter(folder, () => day), new TombstoneWriter(folder, () => day)];
    await one.append([aTombstone({ ids: ['cr_1'] })]);
    await other.append([aTombstone({ ids: ['cr_2'] })]);
    day = '2026-11-27';
    await one.append([aTombstone({ ids: ['cr_3'] })]);
    await Promise.all([one.close(), other.close()]);
    expect(readdirSync(folder)).toHaveLength(3);
    expect((await readAll()).tombstones).toHaveLength(3);
  });

  it('refuse a write if their file was removed, and continue in a new one', async () => {
    const writer = new TombstoneWriter(folder, () => '2026-11-27');
    await writer.append([aTombstone()]);
    rmSync(join(folder, readdirSync(folder)[0]!));
    await expect(writer.append([aTombstone({ ids: ['cr_2'] })])).rejects.toThrow('removed');
    await writer.append([aTombstone({ ids: ['cr_2'] })]);
    await writer.close();
    expect((await readAll()).tombstones).toMatchObject([{ ids: ['cr_2'] }]);
  });

  it('are read without a last line that a crash cut off', async () => {
    const line = encodeTombstone(aTombstone({ ids: ['cr_2'] }));
    put('2026-11-27', 'aa', encodeTombstone(aTombstone()) + line.slice(0, 30));
    expect(await readAll()).toMatchObject({ tombstones: [{ ids: ['cr_1'] }], unreadable: [] });
  });

  it('report an unreadable line by file and number, and keep the others', async () => {
    const good = (id: string): string => encodeTombstone(aTombstone({ ids: [id] }));
    put('2026-11-26', 'aa', `${good('cr_1')}rubbish\n${good('cr_2')}`);
    put('2026-11-27', 'bb', `${good('cr_3')}{"v":1,"kind":"credential"}\n`);
    const { tombstones, unreadable } = await readAll();
    expect(tombstones.flatMap(({ ids }) => ids)).toEqual(['cr_1', 'cr_2', 'cr_3']);
    expect(unreadable).toEqual([
      { file: 'tombstones-2026-11-26-aa.ndjson', line: 2, reason: 'it is not JSON' },
      { file: 'tombstones-2026-11-27-bb.ndjson', line: 2, reason: expect.stringMatching(/^its member ids is missing/) },
    ]);
  });
});

describe('marks', () => {
  const lines = [
    markOf(chainName('op_1'), 9, HASH, '2026-11-20T10:00:00.000Z'),
    aTombstone({ seq: 12, at: '2026-11-21T10:00:00.000Z' }),
    markOf(chainName('op_2'), 3, HASH, '2026-11-21T10:00:00.000Z'),
  ];

  it('hold the furthest position of each chain', () => {
    const marks = new ChainMarks();
    for (const line of lines) marks.add(line);
    expect(marks.list().map(({ chain, seq }) => [chain, seq])).toEqual([
      ['op_1', 12],
      ['op_2', 3],
    ]);
  });

  it('of a reconciled history no longer count; the reconciliation does', () => {
    const reconciled = aTombstone({ kind: 'reconciled', ids: [], seq: 5, supersedes: '2026-11-21T10:00:00.000Z' });
    const all = [...lines, { ...reconciled, at: '2026-11-22T10:00:00.000Z' }];
    const marks = new ChainMarks();
    for (const line of all) marks.supersede(line);
    for (const line of all) marks.add(line);
    expect(marks.list().find(({ chain }) => chain === 'op_1')).toMatchObject({ seq: 5 });
  });
});

describe('the status of users', () => {
  it('is that of the newest line, in whatever order the lines come', () => {
    const at = (hour: number): string => `2026-11-20T${hour}:00:00.000Z`;
    const lines = [
      aTombstone({ kind: 'user-disabled', ids: ['us_1'], at: at(10), seq: 5 }),
      aTombstone({ kind: 'user-enabled', ids: ['us_1'], at: at(11), seq: 6 }),
      aTombstone({ kind: 'user-enabled', ids: ['us_2'], at: at(12), seq: 9 }),
      aTombstone({ kind: 'user-disabled', ids: ['us_2'], at: at(13), seq: 7 }), // after a restore
    ];
    for (const order of [lines, lines.toReversed()]) {
      const statuses = new UserStatuses();
      for (const line of order) statuses.add(line);
      expect(statuses.disabled()).toEqual(['us_2']);
      expect(statuses.disabledSince('us_2')).toEqual(new Date(at(13)));
    }
  });
});

describe('compaction', () => {
  it('keeps credentials forever, drops expired tokens and duplicates, and does not change recent files', async () => {
    const old = [
      aTombstone({ ids: ['cr_1'], seq: 1 }),
      aTombstone({ ids: ['cr_1'], seq: 1 }),
      aTombstone({ kind: 'token', ids: ['tk_1'], of: 'cr_1', seq: 2 }),
      markOf(chainName('op_1'), 8, HASH, '2026-11-20T13:00:00.000Z'),
      markOf(chainName('op_1'), 7, HASH, '2026-11-20T12:30:00.000Z'),
    ];
    put('2026-11-20', 'aa', old.slice(0, 3).map(encodeTombstone).join(''));
    put('2026-11-21', 'bb', old.slice(3).map(encodeTombstone).join(''));
    put('2026-11-26', 'cc', encodeTombstone(aTombstone({ ids: ['cr_9'] })));
    expect(await compactTombstones(folder, NOW)).toBe(2);
    const files = readdirSync(folder).sort();
    expect(files).toHaveLength(2);
    expect(files[1]).toBe('tombstones-2026-11-26-cc.ndjson');
    const { tombstones } = await readAll();
    expect(tombstones.map(({ kind, ids, seq }) => [kind, ids, seq])).toEqual([
      ['credential', ['cr_1'], 1],
      ['mark', [], 8],
      ['credential', ['cr_9'], 1],
    ]);
    expect(await compactTombstones(folder, NOW)).toBe(0);
  });

  it('keeps only the newest status of a user, and removed users and API keys forever', async () => {
    const day = (date: string): string => `2026-11-${date}T12:00:00.000Z`;
    const lines = [
      aTombstone({ kind: 'user-disabled', ids: ['us_1'], seq: 1, at: day('18') }),
      aTombstone({ kind: 'user-enabled', ids: ['us_1'], seq: 2, at: day('19') }),
      aTombstone({ kind: 'user-disabled', ids: ['us_1'], seq: 3, at: day('20') }),
      aTombstone({ kind: 'user', ids: ['us_2'], seq: 4, at: day('20') }),
      aTombstone({ kind: 'api-key', ids: ['ky_1'], of: 'us_3', seq: 5, at: day('20') }),
    ];
    put('2026-11-20', 'aa', lines.slice(0, 2).map(encodeTombstone).join(''));
    put('2026-11-21', 'bb', lines.slice(2).map(encodeTombstone).join(''));
    await compactTombstones(folder, NOW);
    expect((await readAll()).tombstones.map(({ kind, ids, seq }) => [kind, ids, seq])).toEqual([
      ['user-disabled', ['us_1'], 3],
      ['user', ['us_2'], 4],
      ['api-key', ['ky_1'], 5],
    ]);
  });

  it('drops a session a day after the longest time that it can last', async () => {
    const session = (id: string, at: string): string =>
      encodeTombstone(aTombstone({ kind: 'session', ids: [id], of: 'us_1', seq: 1, at }));
    put('2026-10-20', 'aa', session('ss_1', '2026-10-20T12:00:00.000Z'));
    put('2026-11-20', 'bb', session('ss_2', '2026-11-20T12:00:00.000Z') + encodeTombstone(aTombstone({ seq: 9 })));
    await compactTombstones(folder, NOW);
    expect((await readAll()).tombstones.flatMap(({ ids }) => ids)).toEqual(['ss_2', 'cr_1']);
  });

  it('keeps the newest mark of a chain even if its token has expired, and the valid reconciliation', async () => {
    const at = '2026-11-20T14:00:00.000Z';
    put('2026-11-20', 'aa', encodeTombstone(aTombstone({ kind: 'token', ids: ['tk_1'], of: 'cr_1', seq: 4 })));
    put(
      '2026-11-21',
      'bb',
      encodeTombstone(
        aTombstone({ kind: 'reconciled', ids: [], chain: chainName('op_2'), seq: 3, supersedes: at, at }),
      ),
    );
    await compactTombstones(folder, NOW);
    const { tombstones } = await readAll();
    expect(tombstones).toMatchObject([
      { kind: 'mark', chain: 'op_1', seq: 4 },
      { kind: 'reconciled', chain: 'op_2', supersedes: at },
    ]);
  });

  it('changes nothing while a line is unreadable', async () => {
    put('2026-11-20', 'aa', encodeTombstone(aTombstone()));
    put('2026-11-21', 'bb', encodeTombstone(aTombstone()));
    appendFileSync(join(folder, 'tombstones-2026-11-21-bb.ndjson'), 'rubbish\n');
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(await compactTombstones(folder, NOW)).toBe(0);
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(before);
  });
});
