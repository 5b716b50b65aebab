import { chainEvents, emptyHead, eventLine } from '../../../libs/chain/chain.ts';
import type { LogEvent } from '../../../libs/chain/chain.ts';
import { OPERATION, draft, exportOf, mixed, op1, platform, refusals, rehashed, withThird } from './sample.ts';
import type { Place, VectorCase, VectorSet } from './vector-set.ts';
import { chainName } from '../../../libs/chain/chain-name.ts';

export function altered(set: VectorSet): void {
  const at3 = (name: string, event: object) => ({ name, event, place: { seq: 3, code: 'hash' } });
  const third = op1[2] as LogEvent;
  const variants = [
    at3('a value edited', { ...third, data: { ...third.data, scope: 'billing' } }),
    at3('a number made a string', { ...third, data: { ...third.data, slot: '0' } }),
    at3('a number made a boolean', { ...third, data: { ...third.data, slot: false } }),
    at3('a member of data deleted', { ...third, data: { scope: 'orders' } }),
    at3('a member of data added', { ...third, data: { ...third.data, more: null } }),
    at3('the time edited', { ...third, at: '2026-03-01T12:00:03.001Z' }),
    at3('the address deleted', { ...third, actor: { ...third.actor, ip: null } }),
    at3('the outcome edited', { ...third, outcome: 'refused' }),
    at3('the hash edited', { ...third, hash: third.hash.replace(/^./, (c) => (c === '0' ? '1' : '0')) }),
    { name: 'prevHash edited', event: { ...third, prevHash: '0'.repeat(64) }, place: { seq: 3, code: 'prev-hash' } },
    {
      name: 'edited and hashed anew',
      event: rehashed({ ...third, outcome: 'refused' }),
      place: { seq: 3, code: 'checkpoint' },
    },
    { name: 'the next seq', event: { ...third, seq: 4 }, place: { seq: 3, code: 'gap' } },
    { name: 'the seq before', event: { ...third, seq: 2 }, place: { seq: 2, code: 'duplicate' } },
  ];
  for (const { name, event, place } of variants) {
    set.tampered(name, exportOf(mixed(op1.with(2, event as LogEvent))), { chains: { op_1: place } });
  }
  const unsigned = exportOf(op1.with(3, rehashed({ ...(op1[3] as LogEvent), outcome: 'refused' })));
  set.tampered('edited and hashed anew, unsigned', unsigned, { chains: { op_1: { seq: 5, code: 'prev-hash' } } }, {});
  const toOther = op1.with(2, { ...third, operationId: 'op_2' });
  set.tampered('moved to another operation', exportOf(mixed(toOther)), {
    chains: { op_1: { seq: 3, code: 'gap' }, op_2: { seq: 1, code: 'start' } },
  });
}

/** The log after a restore to event 5, and its continuation, against the earlier checkpoints. */
export function restored(set: VectorSet): void {
  const fifth = op1[4] as LogEvent;
  const lost = op1.at(-1) as LogEvent;
  const reconciliation = draft(90, 'op_1', 'log.reconciled.v1', {
    lostSeq: lost.seq,
    lostHash: lost.hash,
    lostAt: lost.at,
  });
  const later = [91, 92].map((number) => draft(number, 'op_1', 'token.issued.v1', {}));
  const goneOn = chainEvents({ seq: 5, hash: fifth.hash }, [reconciliation, ...later]);
  const variants: [string, LogEvent[], Place][] = [
    ['restored behind its checkpoints', op1.slice(0, 5), { seq: 6, code: 'tail' }],
    ['restored and reconciled', [...op1.slice(0, 5), ...goneOn.slice(0, 1)], { seq: 7, code: 'tail' }],
    ['restored, reconciled and gone on', [...op1.slice(0, 5), ...goneOn], { seq: 7, code: 'checkpoint' }],
  ];
  for (const [name, chain, place] of variants) set.tampered(name, exportOf(mixed(chain)), { chains: { op_1: place } });
  // the service exports up to its head: events stored beyond it are missing, which a checkpoint reveals
  set.tampered('cut off at a head with events beyond it', exportOf(mixed(op1.slice(0, 4))), {
    chains: { op_1: { seq: 5, code: 'tail' } },
  });
}

export function moved(set: VectorSet): void {
  const inserted = chainEvents({ seq: 2, hash: (op1[1] as LogEvent).hash }, [draft(99, 'op_1', 'token.issued.v1', {})]);
  const variants: [string, LogEvent[], Place][] = [
    ['one deleted', op1.toSpliced(3, 1), { seq: 4, code: 'gap' }],
    ['the first deleted', op1.slice(1), { seq: 1, code: 'start' }],
    ['the last signed one deleted', op1.slice(0, 6), { seq: 7, code: 'tail' }],
    ['two swapped', op1.with(3, op1[4] as LogEvent).with(4, op1[3] as LogEvent), { seq: 4, code: 'gap' }],
    ['one twice', op1.toSpliced(4, 0, op1[3] as LogEvent), { seq: 4, code: 'duplicate' }],
    ['one again later', op1.toSpliced(7, 0, op1[3] as LogEvent), { seq: 4, code: 'duplicate' }],
    ['one inserted after its like', op1.toSpliced(3, 0, ...inserted), { seq: 3, code: 'fork' }],
    ['one inserted before its like', op1.toSpliced(2, 0, ...inserted), { seq: 3, code: 'checkpoint' }],
  ];
  for (const [name, chain, place] of variants) set.tampered(name, exportOf(mixed(chain)), { chains: { op_1: place } });
  set.tampered(
    'one inserted before its like, unsigned',
    exportOf(op1.toSpliced(2, 0, ...inserted)),
    { chains: { op_1: { seq: 3, code: 'fork' } } },
    {},
  );
  set.tampered('events after the last checkpoint deleted, which nothing shows', exportOf(mixed(op1.slice(0, 7))), null);
}

export function rewritten(set: VectorSet): void {
  const forged = chainEvents(emptyHead(chainName('op_1')), OPERATION.toSpliced(1, 1));
  set.tampered('rewritten from the second on', exportOf(mixed(forged)), {
    chains: { op_1: { seq: 3, code: 'checkpoint' } },
  });
  set.tampered('rewritten, unsigned, which nothing shows', exportOf(forged), null, {});
  const later = chainEvents(
    { seq: 4, hash: (op1[3] as LogEvent).hash },
    OPERATION.slice(4).with(1, draft(97, 'op_1', 'token.issued.v1', {})),
  );
  set.tampered('rewritten between checkpoints', exportOf(mixed([...op1.slice(0, 4), ...later])), {
    chains: { op_1: { seq: 7, code: 'checkpoint' } },
  });
  set.tampered('a whole chain deleted', exportOf(platform), { chains: { op_1: { seq: 1, code: 'tail' } } });
  const renamed = platform.map((event) => ({ ...event, operationId: 'op_2' }));
  set.tampered('a chain passed off as another', exportOf([...op1, ...platform, ...renamed]), {
    chains: { op_2: { seq: 1, code: 'prev-hash' } },
  });
}

/** Same values, other text. */
export function texts(set: VectorSet): void {
  const line = eventLine(op1[2] as LogEvent);
  const at3 = { chains: { op_1: { seq: 3, code: 'not-canonical' } } };
  const variants: [string, string][] = [
    ['1.0 for 1', line.replace('"slot":0', '"slot":0.0')],
    ['1e0 for 1', line.replace('"slot":0', '"slot":0e0')],
    ['minus zero', line.replace('"slot":0', '"slot":-0')],
    ['seq as 3.0', line.replace('"seq":3', '"seq":3.0')],
    ['a fraction', line.replace('"slot":0', '"slot":0.5')],
    ['an unsafe integer', line.replace('"slot":0', '"slot":9007199254740992')],
    ['a number beyond all bounds', line.replace('"slot":0', '"slot":1e999')],
    ['a member twice, the last as it was', line.replace('"outcome"', '"outcome":"refused","outcome"')],
    ['a space', line.replace(',', ', ')],
    ['an escape', line.replace('orders', '\\u006frders')],
    ['a slash escaped', line.replace('orders', 'orders\\/')],
    ['members in another order', line.replace(/("seq":3),("subject":\{[^}]*\})/, '$2,$1')],
    ['a lone surrogate', line.replace('orders', '\\ud800')],
    ['CRLF', `${line}\r`],
  ];
  for (const [name, text] of variants) set.tampered(name, withThird(Buffer.from(text)), at3);
}

/** Lines that are not events. */
export function forms(set: VectorSet): void {
  const third = op1[2] as LogEvent;
  const line = eventLine(third);
  const nested = (levels: number) =>
    line.replace('"slot":0', `"slot":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}`);
  const lost = (code: string) => ({ chains: { op_1: { seq: 3, code: 'gap' } }, line: { line: 4, code } });
  const here = { chains: { op_1: { seq: 3, code: 'not-an-event' } } };
  const unchained = eventLine({ ...third, seq: null, prevHash: null, hash: null });
  const variants: [string, Buffer, VectorCase['faults']][] = [
    ['not UTF-8', Buffer.from(line.replace('orders', '\xff'), 'latin1'), lost('not-utf8')],
    ['a byte order mark', Buffer.from(`\ufeff${line}`), lost('not-json')],
    ['an empty line', Buffer.from(`\n${line}`), { line: { line: 4, code: 'not-json' } }],
    ['no JSON', Buffer.from(line.slice(0, -1)), lost('not-json')],
    ['NaN', Buffer.from(line.replace('"slot":0', '"slot":NaN')), lost('not-json')],
    ['as deep as can be', Buffer.from(nested(64)), { chains: { op_1: { seq: 3, code: 'hash' } } }],
    ['a level too deep', Buffer.from(nested(65)), lost('not-json')],
    ['an array', Buffer.from(`[${line}]`), lost('not-an-event')],
    ['null', Buffer.from('null'), lost('not-an-event')],
    ['a member more', Buffer.from(line.replace('"at"', '"an":1,"at"')), here],
    ['a member less', Buffer.from(line.replace(/"at":"[^"]*",/, '')), here],
    ['an empty type', Buffer.from(line.replace('"type":"token.issued.v1"', '"type":""')), here],
    ['a time with an offset', Buffer.from(line.replace(/(T[0-9:]+)\.[0-9]{3}Z/, '$1+00:00')), here],
    [
      'a hash in upper case',
      Buffer.from(line.replace(/("hash":")([^"]*)/, (_all, name: string, hash: string) => name + hash.toUpperCase())),
      here,
    ],
    ['an event taken out of its chain', Buffer.from(unchained), lost('not-an-event')],
    ['a seq that is a string', Buffer.from(line.replace('"seq":3', '"seq":"3"')), lost('not-an-event')],
  ];
  for (const [name, bytes, faults] of variants) set.tampered(name, withThird(bytes), faults ?? null);
  const whole = exportOf(mixed());
  set.tampered('cut off', whole.subarray(0, -1), { line: { line: 13, code: 'unterminated' } });
  const chained = eventLine(refusals).replace('"seq":null', '"seq":9');
  set.tampered('a refusal summary with a seq', Buffer.concat([whole, Buffer.from(`${chained}\n`)]), {
    chains: { op_1: { seq: 9, code: 'not-an-event' } },
  });
}
