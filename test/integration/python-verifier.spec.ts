// Two verifiers, written apart from the same page, must say the same of every published vector and of whatever else
// there is.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import { InputError, KeyRing, listOfCheckpoints } from '../../packages/verify-events/checkpoints.ts';
import { readJson } from '../../packages/verify-events/json.ts';
import type { Json } from '../../packages/verify-events/json.ts';
import { LineReader } from '../../packages/verify-events/lines.ts';
import { Verifier } from '../../packages/verify-events/verifier.ts';
import type { Report } from '../../packages/verify-events/verifier.ts';
import { mutate, seededRandom } from '../support/event-log/mutations.ts';
import type { Evidence } from '../support/event-log/mutations.ts';
import type { VectorCase } from '../support/event-log/vector-set.ts';
import { VECTORS } from '../support/event-log/vectors.ts';

const BATCH = fileURLToPath(new URL('../python/verify_batch.py', import.meta.url));
const MUTATIONS = Number(process.env['VERIFIER_MUTATIONS'] ?? 3000);

/** The Python verifier's reports, null for unreadable input, one process for all. */
async function python(list: readonly Evidence[]): Promise<(Report | null)[]> {
  const child = spawn('python3', ['-B', BATCH], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('close', resolve));
  const base64 = (buffers: readonly Buffer[]) => buffers.map((buffer) => buffer.toString('base64'));
  const requests = function* () {
    for (const { events, checkpoints, keys, partial, chains } of list) {
      const documents = { events: base64(events), checkpoints: base64(checkpoints), keys: base64(keys) };
      yield `${JSON.stringify({ ...documents, partial, chains })}\n`;
    }
  };
  const sent = pipeline(Readable.from(requests()), child.stdin);
  const reports: (Report | null)[] = [];
  for await (const line of createInterface({ input: child.stdout })) reports.push(JSON.parse(line) as Report | null);
  await sent;
  expect(await exited).toBe(0);
  return reports;
}

function typescript({ events, checkpoints, keys, partial, chains }: Evidence): Report | null {
  try {
    const ring = new KeyRing();
    for (const document of keys) ring.addSet(parse(document));
    const list = checkpoints.flatMap((document) => listOfCheckpoints(parse(document)));
    const options = { checkpoints: list, keys: ring.keys, partial };
    const verifier = new Verifier(chains === null ? options : { ...options, chains });
    events.forEach((bytes, number) => {
      const reader = new LineReader(verifier, `file ${number}`);
      reader.push(bytes);
      reader.end();
    });
    const report = verifier.report();
    const empty = report.chains.length + report.lines.faulty + report.refusalSummaries + report.ignored === 0;
    return empty && !partial ? null : report;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

function parse(document: Buffer): Json {
  const read = readJson(document);
  if ('fault' in read) throw new InputError(read.fault);
  return read.value;
}

const vector = (name: string): Buffer => readFileSync(new URL(name, VECTORS));
const cases = JSON.parse(vector('expected.json').toString()) as VectorCase[];
const evidenceOf = ({ events, checkpoints = [], keys = [], partial = false, chains }: Partial<VectorCase>) => ({
  events: (events ?? []).map(vector),
  checkpoints: checkpoints.map(vector),
  keys: keys.map(vector),
  partial,
  chains: chains ?? null,
});

function rehash(event: object): string {
  const body = { ...event, hash: undefined }; // canonicalize leaves out what is undefined, as JSON.stringify does
  const hash = createHash('sha256')
    .update('\0')
    .update(canonicalize(body) ?? '')
    .digest('hex');
  return canonicalize({ ...body, hash }) ?? '';
}

describe('the verifiers in Python and TypeScript', () => {
  it('agree on every published vector', async () => {
    const all = cases.map(evidenceOf);
    const reports = await python(all);
    expect(reports).toHaveLength(cases.length);
    cases.forEach(({ name, exit }, n) => {
      const report = reports[n] ?? null;
      expect({ name, report }).toEqual({ name, report: typescript(all[n] as Evidence) });
      expect({ name, exit: report === null ? 2 : report.whole ? 0 : 1 }).toEqual({ name, exit });
    });
  });

  it(`agree on ${MUTATIONS} mutations`, async () => {
    const random = seededRandom(Number(process.env['VERIFIER_SEED'] ?? 1));
    const bases = ['a whole log', 'what a retention left', 'an archive and what was left'].map((name) =>
      evidenceOf(cases.find((vectorCase) => vectorCase.name === name) ?? {}),
    );
    const mutants = Array.from({ length: MUTATIONS }, (_, n) =>
      mutate(bases[n % bases.length] as Evidence, random, rehash),
    );
    const reports = await python(mutants);
    const seen = new Map<string, number>();
    mutants.forEach((mutant, n) => {
      const report = reports[n] ?? null;
      const other = typescript(mutant);
      if (JSON.stringify(report) !== JSON.stringify(other)) {
        const events = mutant.events.map((bytes) => bytes.toString('latin1'));
        expect({ n, events, report }).toEqual({ n, events, report: other });
      }
      for (const code of codesOf(report)) seen.set(code, (seen.get(code) ?? 0) + 1);
    });
    if (process.env['VERIFIER_SHOW'] !== undefined) console.log(Object.fromEntries(seen));
    // the comparison says little about what no mutant reached
    const reached = [
      'unreadable',
      'whole',
      'gap',
      'fork',
      'duplicate',
      'prev-hash',
      'hash',
      'checkpoint',
      'tail',
      'start',
    ];
    const lines = ['unterminated', 'not-utf8', 'not-json', 'not-canonical', 'not-an-event'];
    const signatures = ['not-a-checkpoint', 'unknown-key', 'signature'];
    expect([...seen.keys()]).toEqual(expect.arrayContaining([...reached, ...lines, ...signatures]));
  }, 120_000);
});

function codesOf(report: Report | null): string[] {
  if (report === null) return ['unreadable'];
  if (report.whole) return ['whole'];
  return [
    ...report.chains.flatMap(({ fault }) => (fault === null ? [] : [fault.code])),
    ...(report.lines.first === null ? [] : [report.lines.first.code]),
    ...report.checkpoints.faults.map(({ code }) => code),
  ];
}
