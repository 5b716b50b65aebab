// Whatever single thing is done to a log that is signed to its end, it is found.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyRing, listOfCheckpoints } from './checkpoints.ts';
import { canonicalForm } from './json.ts';
import type { Json, JsonObject } from './json.ts';
import { LineReader } from './lines.ts';
import type { Checkpoint } from './shapes.ts';
import { Verifier } from './verifier.ts';

const vector = (name: string) => readFileSync(new URL(`../../docs/event-log-format/vectors/${name}`, import.meta.url));
const json = (name: string) => JSON.parse(vector(name).toString()) as Json;
const checkpoints = listOfCheckpoints(json('checkpoints.json'));
const ring = new KeyRing();
ring.addSet(json('keys.json'));

/** The last signed seq of each chain. */
const signed = new Map<string | null, number>();
for (const { operationId, seq } of checkpoints as unknown as Checkpoint[]) {
  signed.set(operationId, Math.max(seq, signed.get(operationId) ?? 0));
}
interface Event extends JsonObject {
  operationId: string | null;
  seq: number;
}
const events = vector('good.ndjson')
  .toString()
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Event)
  .filter(({ operationId, seq }) => typeof seq === 'number' && seq <= (signed.get(operationId) ?? 0));
const lines = events.map((event) => canonicalForm(event) ?? '');
const log = Buffer.from(lines.map((line) => `${line}\n`).join(''));

function verify(bytes: Buffer, chunk = bytes.length) {
  const verifier = new Verifier({ checkpoints, keys: ring.keys });
  const reader = new LineReader(verifier, 'log');
  for (let at = 0; at < bytes.length; at += chunk) reader.push(bytes.subarray(at, at + chunk));
  reader.end();
  return verifier.report();
}
const verifyEvents = (list: (Json | undefined)[]) =>
  verify(Buffer.from(list.map((event) => `${canonicalForm(event ?? null) ?? ''}\n`).join('')));
const faultsOf = (report: ReturnType<typeof verify>) =>
  report.chains.flatMap(({ chain, fault }) => (fault === null ? [] : [{ chain, ...fault }]));

function rehashed(event: JsonObject): JsonObject {
  const body = { ...event };
  Reflect.deleteProperty(body, 'hash');
  return {
    ...body,
    hash: createHash('sha256')
      .update('\0')
      .update(canonicalForm(body) ?? '')
      .digest('hex'),
  };
}

const index = fc.nat(events.length - 1);
const nameOf = (event: Event | undefined) => event?.operationId ?? 'platform';

describe('a log that is signed to its end', () => {
  it('is whole, however it is split into chunks', () => {
    expect(events).toHaveLength(10);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), (chunk) => {
        expect(verify(log, chunk)).toMatchObject({ whole: true, lines: { faulty: 0, first: null } });
      }),
    );
  });

  it('is not whole with one byte changed, added or removed', () => {
    const change = fc.record({
      at: fc.nat(log.length - 1),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'insert', 'delete'),
    });
    fc.assert(
      fc.property(change, ({ at, byte, kind }) => {
        fc.pre(kind !== 'set' || log[at] !== byte);
        const replacement = Buffer.of(byte).subarray(kind === 'delete' ? 1 : 0);
        const tampered = Buffer.concat([
          log.subarray(0, at),
          replacement,
          log.subarray(kind === 'insert' ? at : at + 1),
        ]);
        expect(verify(tampered).whole).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('is not whole with any single bit flipped', () => {
    for (let bit = 0; bit < log.length * 8; bit += 29) {
      const tampered = Buffer.from(log);
      tampered.writeUInt8(tampered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect({ bit, whole: verify(tampered).whole }).toEqual({ bit, whole: false });
    }
  });

  it('is not whole with an event deleted, doubled or moved, and the first bad seq is named', () => {
    fc.assert(
      fc.property(index, index, (at, to) => {
        const event = events[at];
        const chain = nameOf(event);
        const seq = event?.seq ?? 0;
        // without the first event nothing tells how much is missing before: it is at the first
        const missing = [{ chain, seq, code: expect.stringMatching(/^(gap|tail|start)$/) as unknown }];
        expect(faultsOf(verifyEvents(events.toSpliced(at, 1)))).toEqual(missing);

        const doubled = faultsOf(verifyEvents(events.toSpliced(to, 0, event as Event)));
        expect(doubled).toEqual([{ chain, seq: expect.any(Number), code: expect.any(String) }]);

        const between = events.slice(Math.min(at, to), Math.max(at, to) + 1);
        fc.pre(between.filter((other) => nameOf(other) === chain).length > 1);
        const moved = events.toSpliced(at, 1).toSpliced(to, 0, event as Event);
        const first = Math.min(...between.filter((other) => nameOf(other) === chain).map((other) => other.seq));
        expect(faultsOf(verifyEvents(moved))).toEqual([
          { chain, seq: first > 1 ? first : expect.any(Number), code: expect.any(String) },
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it('is not whole if it is cut off after any event', () => {
    for (let end = 1; end < events.length; end++) expect(verifyEvents(events.slice(0, end)).whole).toBe(false);
  });

  const value = fc.oneof(
    fc.string(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string()),
    fc.constant({}),
  );
  it('is not whole with any member of any event replaced, deleted or added, with or without new hashes', () => {
    const paths = fc.constantFrom(
      ...[
        'id',
        'seq',
        'operationId',
        'type',
        'at',
        'outcome',
        'requestId',
        'prevHash',
        'hash',
        'data',
        'actor',
        'subject',
      ],
      ...[
        'actor.ip',
        'actor.id',
        'actor.type',
        'subject.id',
        'subject.type',
        'data.name',
        'data.slot',
        'data.more',
        'more',
      ],
    );
    fc.assert(
      fc.property(index, paths, fc.option(value, { nil: undefined }), fc.boolean(), (at, path, replacement, rehash) => {
        const event = structuredClone(events[at] as Event);
        const names = path.split('.');
        const parent = (names.length === 2 ? event[names[0] ?? ''] : event) as Record<string, unknown>;
        const name = names.at(-1) ?? '';
        if (replacement === undefined) Reflect.deleteProperty(parent, name);
        else parent[name] = replacement;
        fc.pre(canonicalForm(event) !== lines[at]);
        const tampered = rehash && path !== 'hash' ? rehashed(event) : event;
        expect(verifyEvents(events.with(at, tampered as Event)).whole).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('is not whole with a chain rewritten from any event on, even with correct hashes', () => {
    for (const start of events.keys()) {
      const chain = nameOf(events[start]);
      let prevHash: Json | undefined;
      const forged = events.map((event, at) => {
        if (at < start || nameOf(event) !== chain) return event;
        const body = at === start ? { ...event, outcome: 'forged' } : { ...event, prevHash: prevHash ?? null };
        const anew = rehashed(body);
        prevHash = anew['hash'];
        return anew as Event;
      });
      const fault = faultsOf(verifyEvents(forged));
      expect(fault).toEqual([{ chain, seq: expect.any(Number), code: 'checkpoint' }]);
      expect(fault[0]?.seq).toBeGreaterThanOrEqual(events[start]?.seq ?? 0);
    }
  });
});
