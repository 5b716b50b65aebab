import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { chainName } from './chain-name.ts';
import { chainEvents, emptyHead, eventLine, genesisHash, hashEvent, MAX_LINE_BYTES } from './chain.ts';
import type { EventBody, EventDraft } from './chain.ts';
import { ChainVerifier } from './chain-verifier.ts';
import type { ChainFault } from './chain-verifier.ts';

const draft = (n: number, over: Partial<EventDraft> = {}): EventDraft => ({
  id: `ev_${n}`,
  operationId: 'op_1',
  type: 'credential.created.v1',
  at: '2026-03-01T12:00:00.000Z',
  actor: { type: 'user', id: 'us_1', ip: '10.0.0.1' },
  subject: { type: 'credential', id: `cr_${n}` },
  outcome: 'success',
  data: { name: 'Größe', n, tags: ['b', 'a'], nested: { z: null, a: true } },
  requestId: null,
  ...over,
});
const drafts = (count: number) => Array.from({ length: count }, (_, i) => draft(i + 1));
const body = (over: Partial<EventBody> = {}): EventBody => ({
  ...draft(1),
  seq: 1,
  prevHash: genesisHash(chainName('op_1')),
  ...over,
});
const sha256 = (...parts: (string | Buffer)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

function verdict(events: Parameters<ChainVerifier['add']>[0][], verifier = new ChainVerifier(chainName('op_1'))) {
  for (const event of events) verifier.add(event);
  return verifier.end();
}

describe('the canonical form', () => {
  const wellFormed = fc.string({ unit: 'binary' });
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      wellFormed,
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('object'),
    ),
    object: fc.dictionary(
      fc.oneof(wellFormed, fc.constantFrom('1', '10', '9', 'é', '\u{1F600}', '\ufb33')),
      tie('value'),
    ),
  })).object as fc.Arbitrary<EventBody['data']>;
  const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/);
  const anyBody: fc.Arbitrary<EventBody> = fc.record({
    id,
    operationId: fc.option(id),
    type: wellFormed,
    at: fc.constant('2026-03-01T12:00:00.000Z'),
    actor: fc.record({
      type: fc.constantFrom('user', 'client', 'resource-server', 'system'),
      id: wellFormed,
      ip: fc.option(wellFormed),
    }),
    subject: fc.record({ type: wellFormed, id: wellFormed }),
    outcome: fc.constantFrom('success', 'refused', 'failed'),
    data: value,
    requestId: fc.option(wellFormed),
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    prevHash: fc.stringMatching(/^[0-9a-f]{64}$/),
  });

  it('follows RFC 8785 for the whole event, with any content', () => {
    fc.assert(
      fc.property(anyBody, (event) => {
        expect(hashEvent(event)).toBe(sha256(Buffer.of(0), canonicalize(event) ?? ''));
        const chained = { ...event, hash: hashEvent(event) };
        expect(eventLine(chained)).toBe(canonicalize(chained));
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of members or on members of the store', () => {
    const reversed = Object.fromEntries(Object.entries(body()).reverse()) as unknown as EventBody;
    expect(hashEvent({ ...reversed, _id: 7, __v: 0 } as EventBody)).toBe(hashEvent(body()));
  });

  // RFC 8785 3.2.3 and 3.2.4: sorted by UTF-16 code units, not by code points; strings as ECMAScript writes them
  it('sorts and escapes as the examples of RFC 8785 do', () => {
    const example = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const line = eventLine({ ...draft(1, { data: example }), seq: null, prevHash: null, hash: null });
    expect(
      [...line.matchAll(/"(Euro Sign|Carriage Return|Hebrew[^"]*|One|Emoji[^"]*|Control|Latin[^"]*)"/g)].map(
        (m) => m[1],
      ),
    ).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
    const literals = { literals: [null, true, false], string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/' };
    expect(eventLine({ ...draft(1, { data: literals }), seq: null, prevHash: null, hash: null })).toContain(
      String.raw`"data":{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it.each([
    ['a fraction', 0.5],
    ['an unsafe integer', 2 ** 53],
    ['NaN', Number.NaN],
    ['undefined', undefined],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a lone surrogate', '\ud800'],
    ['a boxed number', Object(1) as unknown],
  ])('refuses %s, which would not survive a round trip', (_name, bad) => {
    const data = { deep: [{ bad }] } as unknown as EventBody['data'];
    expect(() => hashEvent(body({ data }))).toThrow(TypeError);
  });

  it('refuses malformed names and envelope members, and data that is not an object', () => {
    expect(() => hashEvent(body({ data: { '\udc00': 1 } }))).toThrow(TypeError);
    expect(() => hashEvent(body({ type: '\ud800' }))).toThrow(TypeError);
    expect(() => hashEvent(body({ seq: 1.5 }))).toThrow(TypeError);
    expect(() => hashEvent(body({ data: [] as unknown as EventBody['data'] }))).toThrow(TypeError);
  });

  it('limits depth and size to what a verifier accepts', () => {
    const nested = (levels: number): EventBody['data'] => (levels === 1 ? {} : { a: nested(levels - 1) });
    expect(() => hashEvent(body({ data: nested(32) }))).not.toThrow();
    expect(() => hashEvent(body({ data: nested(33) }))).toThrow(TypeError);

    const lineOf = (event: EventBody) => Buffer.byteLength(eventLine({ ...event, hash: hashEvent(event) }));
    const room = MAX_LINE_BYTES - lineOf(body({ data: { pad: '' } }));
    expect(lineOf(body({ data: { pad: 'x'.repeat(room) } }))).toBe(MAX_LINE_BYTES);
    expect(() => hashEvent(body({ data: { pad: 'x'.repeat(room + 1) } }))).toThrow(RangeError);
    expect(() => hashEvent(body({ data: { pad: '€'.repeat(room / 2) } }))).toThrow(RangeError);
  });
});

describe('chainEvents', () => {
  it('gives contiguous seqs from 1 and links each event to the one before, the first to the genesis', () => {
    const events = chainEvents(emptyHead(chainName('op_1')), drafts(3));
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3]);
    expect(events.map((event) => event.prevHash)).toEqual([
      genesisHash(chainName('op_1')),
      events[0]!.hash,
      events[1]!.hash,
    ]);
    expect(genesisHash(chainName('op_1'))).toBe(sha256(Buffer.of(2), 'op_1'));
    expect(chainEvents(emptyHead(chainName('op_1')), [])).toEqual([]);
  });

  it('continues at the head', () => {
    const all = chainEvents(emptyHead(chainName('op_1')), drafts(3));
    expect(chainEvents({ seq: 2, hash: all[1]!.hash }, drafts(3).slice(2))).toEqual(all.slice(2));
  });

  it.each([
    ['another chain', { operationId: null }],
    ["the platform's name as operation", { operationId: 'platform' }],
    ['a refusal summary', { type: 'sign-in.refused.v1' }],
    ['an id with a space', { id: 'ev 1' }],
    ['a time with an offset', { at: '2026-03-01T12:00:00+00:00' }],
    ['an empty type', { type: '' }],
    ['an empty request id', { requestId: '' }],
  ])('refuses %s', (_name, over) => {
    expect(() => chainEvents(emptyHead(chainName('op_1')), [draft(1), draft(2, over)])).toThrow(TypeError);
  });

  it('refuses an operation whose id equals the platform’s name', () => {
    expect(() => chainEvents(emptyHead(chainName('platform')), [draft(1, { operationId: 'platform' })])).toThrow(
      TypeError,
    );
    expect(chainEvents(emptyHead(chainName(null)), [draft(1, { operationId: null })])).toHaveLength(1);
  });
});

describe('ChainVerifier', () => {
  const events = chainEvents(emptyHead(chainName('op_1')), drafts(6));

  it('finds no fault in a whole chain, and reports its head', () => {
    const verifier = new ChainVerifier(chainName('op_1'), undefined, [{ seq: 4, hash: events[3]!.hash }]);
    expect(verdict(events, verifier)).toBeNull();
    expect(verifier.head).toEqual({ seq: 6, hash: events[5]!.hash });
    expect(verifier.events).toBe(6);
  });

  const edited = { ...events[2]!, outcome: 'failed' as const };
  const other = chainEvents({ seq: 2, hash: events[1]!.hash }, [draft(99)])[0]!;
  it.each<[string, typeof events, ChainFault]>([
    ['a member edited', events.with(2, edited), { seq: 3, reason: 'hash' }],
    [
      'its type changed',
      events.with(2, { ...events[2]!, data: { ...events[2]!.data, n: '3' } }),
      { seq: 3, reason: 'hash' },
    ],
    ['edited beyond canonical form', events.with(2, { ...events[2]!, data: { n: 0.5 } }), { seq: 3, reason: 'hash' }],
    [
      'edited and hashed again',
      events.with(2, { ...edited, hash: hashEvent(edited) }),
      { seq: 4, reason: 'prev-hash' },
    ],
    ['one deleted', events.toSpliced(2, 1), { seq: 3, reason: 'gap' }],
    ['the first deleted', events.slice(1), { seq: 1, reason: 'gap' }],
    ['two swapped', events.with(2, events[3]!).with(3, events[2]!), { seq: 3, reason: 'gap' }],
    ['one twice', events.toSpliced(3, 0, events[2]!), { seq: 3, reason: 'duplicate' }],
    ['one inserted after its like', events.toSpliced(3, 0, other), { seq: 3, reason: 'fork' }],
    ['one inserted before its like', events.toSpliced(2, 0, other), { seq: 3, reason: 'fork' }],
    [
      'one of another chain',
      chainEvents(emptyHead(chainName('op_2')), [draft(1, { operationId: 'op_2' })]),
      { seq: 1, reason: 'chain' },
    ],
    [
      'another chain renamed',
      [{ ...chainEvents(emptyHead(chainName('op_2')), [draft(1, { operationId: 'op_2' })])[0]!, operationId: 'op_1' }],
      { seq: 1, reason: 'prev-hash' },
    ],
  ])('finds %s', (_name, tampered, fault) => {
    expect(verdict(tampered)).toEqual(fault);
  });

  it('finds a rewritten chain and a missing tail with an anchor', () => {
    const rewritten = chainEvents(emptyHead(chainName('op_1')), drafts(6).with(0, draft(1, { outcome: 'failed' })));
    const anchors = [{ seq: 4, hash: events[3]!.hash }];
    expect(verdict(rewritten)).toBeNull();
    expect(verdict(rewritten, new ChainVerifier(chainName('op_1'), undefined, anchors))).toEqual({
      seq: 4,
      reason: 'checkpoint',
    });
    expect(verdict(events.slice(0, 3), new ChainVerifier(chainName('op_1'), undefined, anchors))).toEqual({
      seq: 4,
      reason: 'tail',
    });
    expect(verdict([], new ChainVerifier(chainName('op_1'), undefined, anchors))).toEqual({ seq: 1, reason: 'tail' });
  });

  it('starts only right after a checkpoint', () => {
    const start = { seq: 3, hash: events[2]!.hash };
    expect(verdict(events.slice(3), new ChainVerifier(chainName('op_1'), start))).toBeNull();
    expect(
      verdict(
        events.slice(3),
        new ChainVerifier(chainName('op_1'), { ...start, hash: genesisHash(chainName('op_1')) }),
      ),
    ).toEqual({
      seq: 4,
      reason: 'prev-hash',
    });
  });

  it('keeps the first fault and continues to count', () => {
    const verifier = new ChainVerifier(chainName('op_1'));
    expect(verdict(events.with(1, edited).with(4, edited), verifier)).toEqual({ seq: 2, reason: 'gap' });
    expect(verifier.events).toBe(6);
    expect(verifier.head.seq).toBe(1);
  });
});
