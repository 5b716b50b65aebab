// Every published vector gets the verdict that expected.json says: the format page's own tests.
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { main } from './cli.ts';
import type { Report } from './verifier.ts';

interface Case {
  name: string;
  events: string[];
  checkpoints?: string[];
  keys?: string[];
  partial?: boolean;
  chains?: string[];
  exit: number;
  faults?: { chains?: object; line?: { line: number; code: string }; checkpoints?: object };
}

const directory = new URL('../../docs/event-log-format/vectors/', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('expected.json', directory), 'utf8')) as Case[];
const option = (name: string, files: string[] = []) =>
  files.flatMap((file) => [name, fileURLToPath(new URL(file, directory))]);

describe('the published vectors', () => {
  it('exist', () => expect(cases.length).toBeGreaterThan(80));

  it.each(cases.map((vector) => [vector.name, vector] as const))('%s', async (_name, vector) => {
    let out = '';
    let err = '';
    const exit = await main(
      [
        ...option('--events', vector.events),
        ...option('--checkpoints', vector.checkpoints),
        ...option('--keys', vector.keys),
        ...(vector.chains ?? []).flatMap((chain) => ['--chain', chain]),
        ...(vector.partial === true ? ['--partial'] : []),
        '--json',
      ],
      {
        stdin: Readable.from([]),
        stdout: { write: (text: string) => ((out += text), true) },
        stderr: { write: (text: string) => ((err += text), true) },
      },
    );
    if (vector.exit === 2) {
      expect({ exit, out }).toEqual({ exit: 2, out: '' });
      expect(err).toMatch(/^latchkey-verify: ./);
      return;
    }
    const report = JSON.parse(out) as Report;
    const { chains = {}, line = null, checkpoints = {} } = vector.faults ?? {};
    const first = report.lines.first;
    expect({
      exit,
      whole: report.whole,
      chains: Object.fromEntries(
        report.chains.flatMap(({ chain, fault }) => (fault === null ? [] : [[chain, fault] as const])),
      ),
      line: first && { line: first.line, code: first.code },
      checkpoints: Object.fromEntries(report.checkpoints.faults.map((fault) => [String(fault.id), fault.code])),
    }).toEqual({ exit: vector.exit, whole: vector.exit === 0, chains, line, checkpoints });
  });
});
