/** A small event log with checkpoints and keys, made by the service's code. The published vectors are its variants. */
import { createPrivateKey } from 'node:crypto';
import { chainEvents, emptyHead, eventLine, hashEvent } from '../../../libs/chain/chain.ts';
import type { EventDraft, LogEvent, UnchainedEvent } from '../../../libs/chain/chain.ts';
import { checkpointSigner, signCheckpoint } from '../../../libs/audit/checkpoints/checkpoints.ts';
import type { Checkpoint, CheckpointSigner } from '../../../libs/audit/checkpoints/checkpoints.ts';
import { chainName } from '../../../libs/chain/chain-name.ts';

// keys whose private halves are public: RFC 8032 7.1, tests 1 to 3
export const OLD = testSigner('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
export const NEW = testSigner('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
export const STRANGER = testSigner('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7');
const RETIRED_AT = '2026-03-01T12:30:00.000Z';

export const OPERATION = [
  draft(1, 'op_1', 'operation.created.v1', { name: 'Größe · 会社 · שלום · \u{1F600}' }),
  draft(2, 'op_1', 'credential.created.v1', {
    apis: ['orders', 'billing'],
    limits: { nested: { deeper: [{ z: null, a: true, '\ufb33': 1, '\u{1F600}': 2, '10': 10, '9': 9 }, [], {}] } },
    escapes: '"\\/\b\t\n\f\r\u0000\u001f\u007f\u2028\ufeff',
    tokenTtlSeconds: 3600,
    numbers: [0, -1, 9007199254740991, -9007199254740991],
    active: true,
  }),
  draft(3, 'op_1', 'token.issued.v1', { scope: 'orders', slot: 0 }),
  draft(4, 'op_1', 'token.issued.v1', { scope: 'orders', slot: 1 }),
  draft(5, 'op_1', 'credential.updated.v1', { changed: ['allowedIps'], allowedIps: ['10.0.0.0/8', '2001:db8::/32'] }),
  draft(6, 'op_1', 'events.archived.v1', { throughSeq: 3, checkpointId: 'cp_1', count: 3 }, system()),
  draft(7, 'op_1', 'credential.deleted.v1', {}),
  draft(8, 'op_1', 'tokens.purged.v1', { count: 2 }, system()),
];
const PLATFORM = [
  draft(11, null, 'api.created.v1', { key: 'orders' }),
  draft(12, null, 'api.created.v1', { key: 'billing' }),
  draft(13, null, 'user.created.v1', { roles: ['auditor'] }),
  draft(14, null, 'events.exported.v1', { format: 'ndjson', from: null }),
];
export const op1 = chainEvents(emptyHead(chainName('op_1')), OPERATION);
export const platform = chainEvents(emptyHead(chainName('platform')), PLATFORM);
export const refusals: UnchainedEvent = {
  ...draft(20, 'op_1', 'sign-in.refused.v1', { count: 1200, reason: 'bad_secret' }),
  ...{ seq: null, prevHash: null, hash: null },
};

export const checkpoints = [
  checkpoint('cp_1', op1[2], OLD, '2026-03-01T12:10:00.000Z'),
  checkpoint('cp_2', platform[2], OLD, RETIRED_AT),
  checkpoint('cp_3', op1[6], NEW, '2026-03-01T12:40:00.000Z'),
];
export const keys = {
  keys: [{ ...OLD.jwk, latchkey_retired_at: RETIRED_AT }, NEW.jwk, { kty: 'EC', crv: 'P-256', kid: 'another' }],
};

/** The log as an export has it: chains mixed, a refusal summary between. The event op_1/3 is on line 4. */
export function mixed(chain: readonly LogEvent[] = op1): (LogEvent | UnchainedEvent)[] {
  return [
    ...chain.slice(0, 1),
    ...platform.slice(0, 1),
    ...chain.slice(1, 4),
    refusals,
    ...platform.slice(1),
    ...chain.slice(4),
  ];
}

/** The log with other bytes in place of the event op_1/3, on line 4. */
export function withThird(line: Buffer): Buffer {
  const lines = mixed().map((event): Buffer => Buffer.from(eventLine(event)));
  return Buffer.concat(lines.with(3, line).flatMap((bytes) => [bytes, Buffer.from('\n')]));
}

export function exportOf(events: readonly (LogEvent | UnchainedEvent)[]): Buffer {
  return Buffer.from(events.map((event) => `${eventLine(event)}\n`).join(''));
}

export function rehashed(event: LogEvent): LogEvent {
  return { ...event, hash: hashEvent(event) };
}

export function draft(
  n: number,
  operationId: string | null,
  type: string,
  data: EventDraft['data'],
  actor = user(),
): EventDraft {
  const subject = { type: type.split('.')[0] ?? '', id: `subject_${n}` };
  const at = `2026-03-01T12:00:${String(n % 60).padStart(2, '0')}.000Z`;
  const requestId = actor.type === 'system' ? null : `req-${n}`;
  return { id: `ev_${n}`, operationId, type, at, actor, subject, outcome: 'success', data, requestId };
}

function user(): EventDraft['actor'] {
  return { type: 'user', id: 'us_1', ip: '2001:db8::1' };
}

function system(): EventDraft['actor'] {
  return { type: 'system', id: 'retention', ip: null };
}

export function checkpoint(id: string, event: LogEvent | undefined, signer: CheckpointSigner, at: string): Checkpoint {
  const { operationId, seq, hash } = event as LogEvent;
  return signCheckpoint({ id, operationId, seq, hash, at }, signer);
}

function testSigner(seedHex: string): CheckpointSigner {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seedHex, 'hex')]);
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  return checkpointSigner(key.export({ type: 'pkcs8', format: 'pem' }).toString());
}
