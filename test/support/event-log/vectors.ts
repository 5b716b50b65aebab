/**
 * Builds docs/event-log-format/vectors with the service's own code. The results are committed.
 * event-log-vectors.spec.ts compares them, and `node test/support/event-log/vectors.ts` regenerates them.
 */
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { chainEvents, emptyHead } from '../../../libs/chain/chain.ts';
import type { LogEvent } from '../../../libs/chain/chain.ts';
import type { Checkpoint } from '../../../libs/audit/checkpoints/checkpoints.ts';
import {
  NEW,
  OLD,
  OPERATION,
  STRANGER,
  checkpoint,
  checkpoints,
  draft,
  exportOf,
  keys,
  mixed,
  op1,
  platform,
  rehashed,
} from './sample.ts';
import { altered, forms, moved, restored, rewritten, texts } from './tampered.ts';
import { SIGNED, VectorSet } from './vector-set.ts';
import { chainName } from '../../../libs/chain/chain-name.ts';

export const VECTORS = new URL('../../../docs/event-log-format/vectors/', import.meta.url);

/** All files of the directory, by name. */
export async function eventLogVectors(): Promise<Map<string, Buffer>> {
  const set = new VectorSet();
  for (const group of [wholeOnes, altered, moved, restored, rewritten, texts, forms, archived, signed, inputs])
    group(set);
  set.file('expected.json', set.cases);
  for (const [name, bytes] of set.files) {
    if (!name.endsWith('.json')) continue;
    set.files.set(name, Buffer.from(await format(bytes.toString(), { parser: 'json', printWidth: 120 })));
  }
  return set.files;
}

function wholeOnes(set: VectorSet): void {
  set.file('good.ndjson', exportOf(mixed()));
  set.file('checkpoints.json', { items: checkpoints, nextCursor: null });
  set.file('checkpoints-array.json', checkpoints);
  set.file('keys.json', keys);
  set.file('good-part.ndjson', exportOf([...op1.slice(2, 5), ...platform.slice(1, 3)]));
  const good = ['good.ndjson'];
  set.case(
    { name: 'a whole log', events: good, ...SIGNED, exit: 0 },
    {
      name: 'a whole log, checkpoints as an array',
      events: good,
      checkpoints: ['checkpoints-array.json'],
      keys: ['keys.json'],
      exit: 0,
    },
    { name: 'a whole log, without checkpoints', events: good, exit: 0 },
    { name: 'one chain of a whole log', events: good, ...SIGNED, chains: ['op_1'], exit: 0 },
    {
      name: 'a chain that the log has not',
      events: good,
      chains: ['op_2'],
      exit: 1,
      faults: { chains: { op_2: { seq: 1, code: 'tail' } } },
    },
    { name: 'a part of a log, told so', events: ['good-part.ndjson'], ...SIGNED, partial: true, exit: 0 },
    {
      name: 'a part of a log, not told so',
      events: ['good-part.ndjson'],
      exit: 1,
      faults: { chains: { op_1: { seq: 1, code: 'start' }, platform: { seq: 1, code: 'start' } } },
    },
  );
}

function archived(set: VectorSet): void {
  const rest = exportOf(mixed(op1.slice(3)));
  set.tampered('what a retention left', rest, null);
  set.file('archive.ndjson', exportOf(op1.slice(0, 3)));
  set.case({
    name: 'an archive and what was left',
    events: ['archive.ndjson', 'what-a-retention-left.ndjson'],
    ...SIGNED,
    exit: 0,
  });
  set.tampered('a retention without its checkpoint', rest, { chains: { op_1: { seq: 1, code: 'start' } } }, {});
  set.tampered('more dropped than the retention says', exportOf(mixed(op1.slice(6))), {
    chains: { op_1: { seq: 1, code: 'start' } },
  });
  const beyond = exportOf(mixed(op1.slice(4)));
  set.tampered('one more dropped than the retention says', beyond, {
    chains: { op_1: { seq: 4, code: 'start' } },
  });
  const unlogged = chainEvents(
    emptyHead(chainName('op_1')),
    OPERATION.with(5, draft(98, 'op_1', 'token.issued.v1', {})),
  );
  set.file('checkpoints-unlogged.json', [checkpoint('cp_1', unlogged[2], OLD, '2026-03-01T12:10:00.000Z')]);
  const given = { checkpoints: ['checkpoints-unlogged.json'], keys: ['keys.json'] };
  set.tampered(
    'dropped at a checkpoint, without an event',
    exportOf(unlogged.slice(3)),
    { chains: { op_1: { seq: 1, code: 'start' } } },
    given,
  );
  const retention = { ...(op1[5] as LogEvent), data: { throughSeq: 3, checkpointId: 'cp_3', count: 3 } };
  set.tampered(
    'a retention that names another checkpoint',
    exportOf(chainEvents({ seq: 3, hash: (op1[2] as LogEvent).hash }, [op1[3], op1[4], retention] as LogEvent[])),
    { chains: { op_1: { seq: 1, code: 'start' } } },
    { checkpoints: [set.file('checkpoints-first.json', checkpoints.slice(0, 1))], keys: ['keys.json'] },
  );
  const begun = op1.slice(3).with(0, rehashed({ ...(op1[3] as LogEvent), prevHash: '0'.repeat(64) }));
  set.tampered('a start that does not follow the checkpoint', exportOf(mixed(begun)), {
    chains: { op_1: { seq: 4, code: 'prev-hash' } },
  });
}

function signed(set: VectorSet): void {
  const [first, second, third] = checkpoints as [Checkpoint, Checkpoint, Checkpoint];
  const late = checkpoint('cp_4', op1[7], OLD, '2026-03-01T12:30:00.001Z');
  const stray = first.signature.slice(0, -1) + String.fromCharCode(first.signature.charCodeAt(85) + 1);
  const variants: [string, object[], Record<string, string>][] = [
    ['with another hash', [{ ...first, hash: second.hash }], { cp_1: 'signature' }],
    ['with another seq', [{ ...third, seq: 6 }], { cp_3: 'signature' }],
    ['with another operation', [{ ...second, operationId: 'op_1' }], { cp_2: 'signature' }],
    ['with the signature of another', [{ ...first, signature: third.signature }], { cp_1: 'signature' }],
    ['with padding', [{ ...first, signature: `${first.signature}==` }], { cp_1: 'signature' }],
    ['with stray bits', [{ ...first, signature: stray }], { cp_1: 'signature' }],
    [
      'with a signature that is not the least',
      [{ ...first, signature: malleated(first.signature) }],
      { cp_1: 'signature' },
    ],
    ['by an unknown key', [checkpoint('cp_5', op1[4], STRANGER, first.at)], { cp_5: 'unknown-key' }],
    ['by a retired key', [late], { cp_4: 'retired-key' }],
    ['with a member more', [{ ...first, more: 1 }], { cp_1: 'not-a-checkpoint' }],
    ['with a seq of 0', [{ ...first, seq: 0 }], { cp_1: 'not-a-checkpoint' }],
  ];
  for (const [name, list, faults] of variants) {
    const file = `checkpoints-${name.replaceAll(' ', '-')}.json`;
    set.file(file, list);
    set.case({
      name: `a checkpoint ${name}`,
      events: ['good.ndjson'],
      checkpoints: [file],
      keys: ['keys.json'],
      exit: 1,
      faults: { checkpoints: faults },
    });
  }
}

/** The same signature, with the group order added to its scalar: RFC 8032 5.1.7 requires its refusal. */
function malleated(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url');
  const scalar = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`);
  const greater = scalar + 2n ** 252n + 27742317777372353535851937790883648493n;
  Buffer.from(greater.toString(16).padStart(64, '0'), 'hex').reverse().copy(bytes, 32);
  return bytes.toString('base64url');
}

function inputs(set: VectorSet): void {
  const given = (name: string, checkpointsFile: string, keysFile: string) =>
    set.case({ name, events: ['good.ndjson'], checkpoints: [checkpointsFile], keys: [keysFile], exit: 2 });
  const secret = OLD.privateKey.export({ format: 'jwk' });
  const sets: [string, object][] = [
    ['a kid that is no thumbprint', { ...NEW.jwk, kid: OLD.keyId }],
    ['a private key', { ...OLD.jwk, d: secret.d }],
    ['a retirement that is no instant', { ...OLD.jwk, latchkey_retired_at: 'yesterday' }],
    ['a key too short', { ...OLD.jwk, x: OLD.jwk.x.slice(0, -4) }],
  ];
  for (const [name, jwk] of sets) {
    const file = `keys-${name.replaceAll(' ', '-')}.json`;
    set.file(file, { keys: [NEW.jwk, jwk] });
    given(`a key set with ${name}`, 'checkpoints.json', file);
  }
  given('a key set that is none', 'checkpoints.json', 'checkpoints.json');
  given('checkpoints that are none', 'keys.json', 'keys.json');
  given('checkpoints that are no JSON', 'good.ndjson', 'keys.json');
  set.file('empty.ndjson', Buffer.alloc(0));
  set.case({ name: 'an empty export', events: ['empty.ndjson'], exit: 2 });
  set.case({
    name: 'an empty export where checkpoints tell of chains',
    events: ['empty.ndjson'],
    ...SIGNED,
    exit: 1,
    faults: { chains: { op_1: { seq: 1, code: 'tail' }, platform: { seq: 1, code: 'tail' } } },
  });
  set.case({ name: 'an empty part', events: ['empty.ndjson'], ...SIGNED, partial: true, exit: 0 });
}

if (import.meta.main) {
  for (const [name, bytes] of await eventLogVectors()) writeFileSync(new URL(name, VECTORS), bytes);
}
