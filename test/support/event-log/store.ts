/** Event logs in a real store: written by an instance, or inserted directly. */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnitOfWork } from '#events';
import { DomainEvent } from '#kernel';
import type { DomainEventData } from '../../../libs/kernel/domain-event-data.ts';
import { chainName } from '../../../libs/chain/chain-name.ts';
import { chainEvents, emptyHead } from '../../../libs/chain/chain.ts';
import type { ChainHead, EventDraft, LogEvent } from '../../../libs/chain/chain.ts';
import { Occurrence } from '../../../libs/events/unit-of-work/occurrence.ts';
import { main } from '../../../packages/verify-events/cli.ts';
import type { TestDatabase } from '../database.ts';
import { callBy } from '../instance.ts';
import type { Instance } from '../instance.ts';

/**
 * Lets an instance write an event, in its own transaction.
 *
 * @param limitMs time limit; default: that of a client's request
 */
export async function tell(
  instance: Instance,
  operationId: string | null,
  data: DomainEventData = {},
  limitMs = 2_500,
): Promise<void> {
  const event = new DomainEvent(
    'operation.updated.v2',
    operationId,
    { type: 'operation', id: operationId ?? 'platform' },
    data,
  );
  await instance.app.get(UnitOfWork).run(callBy(), { chains: [operationId], limitMs }, (transaction) => {
    transaction.publish(new Occurrence(event));
    return Promise.resolve();
  });
}

const PER_INSERT = 1_000;

/**
 * Inserts events with real hashes into the store, after the existing events; returns the chain's new head.
 *
 * @param at time of the first one; the next ones follow a second apart
 * @param data additional members of their data
 */
export async function putEvents(
  database: TestDatabase,
  operationId: string | null,
  count: number,
  at = new Date('2026-01-01T00:00:00.000Z'),
  data: DomainEventData = {},
): Promise<ChainHead> {
  const chain = chainName(operationId);
  const heads = await database.collection<{ _id: string; seq: number; hash: string }>('chain_heads');
  const events = await database.collection<{ _id: string }>('events');
  let head: ChainHead = (await heads.findOne({ _id: chain })) ?? emptyHead(chain);
  for (let done = 0; done < count; done += PER_INSERT) {
    const { seq } = head;
    const drafts = Array.from({ length: Math.min(PER_INSERT, count - done) }, (_, index) =>
      draft(operationId, seq + index + 1, new Date(at.getTime() + (done + index) * 1000)),
    ).map((event) => ({ ...event, data: { ...event.data, ...data } }));
    const logged = chainEvents(head, drafts);
    await events.insertMany(logged.map(stored));
    const last = logged.at(-1)!;
    head = { seq: last.seq, hash: last.hash };
  }
  await heads.updateOne({ _id: chain }, { $set: { seq: head.seq, hash: head.hash } }, { upsert: true });
  return head;
}

function draft(operationId: string | null, seq: number, at: Date): EventDraft {
  return {
    id: `ev_${chainName(operationId)}_${String(seq).padStart(9, '0')}`,
    operationId,
    type: 'token.issued.v1',
    at: at.toISOString(),
    actor: { type: 'client', id: 'lk_ci_0a1B2c3D4e5F6g7H8i9J0k1L', ip: '192.0.2.1' },
    subject: { type: 'credential', id: `cr_${seq % 10}` },
    outcome: 'success',
    data: {
      tokenId: `tk_${seq}`,
      secretId: 'se_1',
      scope: ['invoices', 'größe\u2028'],
      expiresAt: '2026-11-23T10:30:00.000Z',
    },
    requestId: `req-${seq}`,
  };
}

/** An event as the store has it. */
export function stored({ id, at, ...event }: LogEvent): { _id: string } & Record<string, unknown> {
  return { _id: id, chain: chainName(event.operationId), ...event, at: new Date(at) };
}

/** Runs the verifier's command line on texts. @returns its exit code and what it wrote */
export async function verifyText(
  exports: readonly string[],
  signed: { readonly checkpoints: unknown; readonly keys: unknown } | null,
  ...flags: string[]
): Promise<{ exit: number; out: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-export-'));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const events = exports.flatMap((content, index) => ['--events', file(`${index}.ndjson`, content)]);
  const proof =
    signed === null
      ? []
      : [
          ...['--checkpoints', file('checkpoints.json', JSON.stringify(signed.checkpoints))],
          ...['--keys', file('keys.json', JSON.stringify(signed.keys))],
        ];
  let out = '';
  const write = (chunk: unknown): boolean => {
    out += String(chunk);
    return true;
  };
  try {
    const exit = await main([...events, ...proof, ...flags], {
      stdin: Readable.from([]),
      stdout: { write },
      stderr: { write },
    });
    return { exit, out };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The events of an NDJSON export. */
export function parseLines(ndjson: string): (LogEvent & { readonly data: Record<string, unknown> })[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogEvent & { data: Record<string, unknown> });
}

/** All of a stream. */
export function textOf(stream: Readable): Promise<string> {
  return text(stream);
}
