import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { main } from '../../packages/verify-events/cli.ts';
import type { Api, CredentialBody, Json } from '../support/api.ts';
import { aCredential, aUser, anApi, anOperation, unique } from '../support/builders.ts';
import { PatientApi } from '../support/patient-api.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

type Row = Record<string, Json>;
interface Seal {
  readonly event: {
    readonly subject: { readonly id: string };
    readonly data: Row;
    readonly operationId: string | null;
  };
  readonly checkpoint: Row;
}

let service: Service;
let admin: Api;
let folder: string;
let operationId: string;
let credentials: CredentialBody[];
let keys: string[];

beforeAll(async () => {
  service = await startService({ env: { LATCHKEY_LEASE_MS: '0' } });
  admin = new PatientApi(service.url);
  folder = mkdtempSync(join(tmpdir(), 'latchkey-review-'));
  keys = [(await anApi(admin)).key, (await anApi(admin)).key].sort();
  operationId = (await anOperation(admin)).id;
  credentials = [
    await aCredential(admin, operationId, {
      apis: keys,
      owner: '=cmd|calc',
      allowedIps: ['192.0.2.1', '198.51.100.0/24'],
    }),
    await aCredential(admin, operationId, { name: unique('none, "quoted"') }),
  ];
  await admin.token(credentials[1]!);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await service.stop();
  await service.database.drop();
});

const take = async (api: Api, query: string): Promise<string> => {
  const { status, text } = await api.get(`/v1/reviews/access?${query}`);
  if (status !== 200) throw new Error(`${status} ${text}`);
  return text;
};
const linesOf = (text: string): Row[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
const sealOf = (text: string): Seal => linesOf(text).at(-1)!['seal'] as unknown as Seal;

/** Another character that a digest or signature may have. */
const another = (character: string): string => (character === '0' ? '1' : '0');

function save(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function verify(...args: string[]): Promise<{ exit: number; out: string }> {
  let out = '';
  const write = (chunk: unknown): boolean => {
    out += String(chunk);
    return true;
  };
  return { exit: await main(args, { stdin: Readable.from([]), stdout: { write }, stderr: { write } }), out };
}

async function publicKeys(): Promise<string> {
  return save('keys.json', (await admin.as(null).get('/.well-known/latchkey-checkpoint-keys')).text);
}

describe('GET /v1/reviews/access', () => {
  it('lists each credential and API with owner, addresses, last use and last change', async () => {
    const rows = linesOf(await take(admin, `operationId=${operationId}&format=ndjson`)).slice(0, -1);
    expect(rows.map((row) => [row['credentialId'], row['api']])).toEqual([
      [credentials[0]!.id, keys[0]],
      [credentials[0]!.id, keys[1]],
      [credentials[1]!.id, null],
    ]);
    expect(rows[0]).toMatchObject({
      ...{ operationId, clientId: credentials[0]!.clientId, owner: '=cmd|calc', status: 'active', expiresAt: null },
      ...{ allowedIps: ['192.0.2.1', '198.51.100.0/24'], lastUsedAt: null, lastChangedAt: credentials[0]!.updatedAt },
    });
  });

  it('is safe to open in a spreadsheet', async () => {
    const text = await take(admin, `operationId=${operationId}`);
    expect(text.split('\r\n')[0]).toMatch(/^operationId,operation,credentialId,credential,/);
    expect(text).toContain(",'=cmd|calc,");
    expect(text).toContain('""quoted""');
    expect(text).toContain(',any,');
  });

  it.each(['ndjson', 'csv'])('ends with a seal that verifies offline (%s)', async (format) => {
    const text = await take(admin, `operationId=${operationId}&format=${format}`);
    const key = await publicKeys();
    const whole = await verify('--review', save('review', text), '--keys', key);
    expect(whole.out).toContain('whole: review rv_');
    expect(whole.exit).toBe(0);
    const altered = [
      text.replace(keys[0]!, 'another'),
      text.replace(/^[^\n]*\n/, ''),
      text.replace(/[^\n]*\n$/, ''),
      text.slice(0, -1),
      text.replace(/(rows"+:)(\d+)/, '$19'),
      text.replace(/(?<=sha256"+:"+)./, another),
      text.replace(/(?<=signature"+:"+)./, another),
    ];
    for (const [index, content] of altered.entries()) {
      const { exit } = await verify('--review', save(`altered-${index}`, content), '--keys', key);
      expect({ index, exit }).toEqual({ index, exit: 1 });
    }
    expect((await verify('--review', save('review', text))).exit).toBe(2);
  });

  it('is bound to the event log: an export verifies against the checkpoint of the seal', async () => {
    const review = save('bound', await take(admin, `operationId=${operationId}&format=ndjson`));
    const log = save('log', (await admin.get(`/v1/events/export?operationId=${operationId}`)).text);
    const key = await publicKeys();
    expect(await verify('--review', review, '--events', log, '--keys', key)).toMatchObject({ exit: 0 });
    const shorter = (await admin.get(`/v1/events/export?operationId=${operationId}`)).text.split('\n').slice(0, 3);
    const cut = save('cut', `${shorter.join('\n')}\n`);
    expect(await verify('--review', review, '--events', cut, '--keys', key)).toMatchObject({ exit: 1 });
    const program = ['packages/verify-events/bin.mjs', '--review', review, '--keys', key];
    const { stdout } = await promisify(execFile)(process.execPath, program);
    expect(stdout).toContain('whole: review');
  });

  it('shows only operations that the person may see', async () => {
    const other = await anOperation(admin);
    await aCredential(admin, other.id);
    const theirs = admin.as(await aUser(admin, ['operation-admin'], [other.id]));
    const rows = linesOf(await take(theirs, 'format=ndjson')).slice(0, -1);
    expect(new Set(rows.map((row) => row['operationId']))).toEqual(new Set([other.id]));
    expect((await theirs.get(`/v1/reviews/access?operationId=${operationId}`)).status).toBe(404);
    expect((await admin.get('/v1/reviews/access?operationId=op_unknown')).status).toBe(404);
    expect((await admin.get('/v1/reviews/access?format=xml')).status).toBe(400);
    expect((await admin.call('HEAD', '/v1/reviews/access')).headers.get('content-type')).toMatch(/^text\/csv/);
  });
});

describe('POST /v1/reviews', () => {
  it('records reviewer and verdict with the digest of the file in the chain, once for one Idempotency-Key', async () => {
    const text = await take(admin, `operationId=${operationId}&format=ndjson`);
    const { event } = sealOf(text);
    const body = { reviewId: event.subject.id, sha256: event.data['sha256'], verdict: 'approved', comment: 'Q4' };
    const reviewer = admin.as(await aUser(admin, ['auditor']));
    const idempotencyKey = unique('key');
    const first = await reviewer.post('/v1/reviews', body, { idempotencyKey });
    expect(first).toMatchObject({ status: 201, body: { ...body, operationId } });
    const again = await reviewer.post('/v1/reviews', body, { idempotencyKey });
    expect({ status: again.status, body: again.body }).toEqual({ status: 201, body: first.body });
    const events = await admin.events({ subject: event.subject.id });
    expect(events.map(({ type }) => type)).toEqual(['access-review.decided.v1', 'access-review.taken.v1']);
    expect(events[0]).toMatchObject({ operationId, data: { verdict: 'approved', comment: 'Q4', sha256: body.sha256 } });
    for (const [wrong, status] of [
      [{ ...body, sha256: '0'.repeat(64) }, 400],
      [{ ...body, reviewId: 'rv_unknown' }, 404],
      [{ ...body, verdict: 'maybe' }, 400],
      [{ ...body, x: 1 }, 400],
    ] as const) {
      expect((await reviewer.post('/v1/reviews', wrong)).status).toBe(status);
    }
    const stranger = admin.as(await aUser(admin, ['operation-admin'], [(await anOperation(admin)).id]));
    expect((await stranger.post('/v1/reviews', body)).status).toBe(404);
  });
});
