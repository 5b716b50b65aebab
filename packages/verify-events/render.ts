// The report as text: one line per fault, and a summary line.
import type { ChainCode, ChainReport } from './chain.ts';
import type { CheckpointCode } from './checkpoints.ts';
import type { LineCode, Report } from './verifier.ts';

const CHAIN_WORDS: Record<ChainCode, string> = {
  'not-canonical': 'its text was altered: it is not in canonical form',
  'not-an-event': 'it has not the members and values of an event',
  gap: 'missing: it was deleted, or later events were moved or inserted before it',
  fork: 'there are two of it, both following the same event: one was inserted',
  duplicate: 'it is there a second time, or out of order',
  'prev-hash': 'it does not follow the event before it: one of the two was replaced',
  hash: 'it was altered: its content has another hash',
  checkpoint: 'a checkpoint signed another hash: the chain was rewritten up to here',
  tail: 'missing: a checkpoint signed it or a later one, but the chain ends before it',
  start: 'missing: the chain begins later, and no checkpoint and retention event account for that',
};
const LINE_WORDS: Record<LineCode, string> = {
  'line-too-long': 'it is longer than 1048576 bytes',
  unterminated: 'the file ends within it: it was cut off',
  'not-utf8': 'it is not UTF-8',
  'not-json': 'it is not JSON',
  'not-canonical': 'it is not in canonical form',
  'not-an-event': 'it has not the members and values of an event',
};
const CHECKPOINT_WORDS: Record<CheckpointCode, string> = {
  'not-a-checkpoint': 'it has not the members and values of a checkpoint',
  'unknown-key': 'its key is not among those given',
  'retired-key': 'it is later than the retirement of its key',
  signature: 'its signature is not by its key over what it says',
};

/** @param verbose a line for each whole chain too */
export function render(report: Report, verbose: boolean): string {
  const { chains, lines, checkpoints } = report;
  const out: string[] = [];
  for (const { index, id, code } of checkpoints.faults) {
    out.push(`checkpoint ${id ?? `number ${index + 1}`}: ${code}: ${CHECKPOINT_WORDS[code]}`);
  }
  if (lines.first !== null) {
    const { file, line, code } = lines.first;
    const others = lines.faulty === 1 ? '' : ` (and ${lines.faulty - 1} more such lines)`;
    out.push(`${file} line ${line}: ${code}: ${LINE_WORDS[code]}${others}`);
  }
  for (const chain of chains) {
    if (chain.fault !== null) {
      const { seq, code } = chain.fault;
      out.push(`${nameOf(chain)}: event seq ${seq}: ${code}: ${CHAIN_WORDS[code]}${since(chain)}`);
    } else if (verbose) {
      const signed = chain.signed === null ? 'not signed' : `signed up to ${chain.signed}`;
      out.push(`${nameOf(chain)}: whole: seq ${chain.first ?? 0} to ${chain.last ?? 0}, ${signed}`);
    }
  }
  return [...out, summary(report), ''].join('\n');
}

function nameOf({ chain }: ChainReport): string {
  return chain === 'platform' ? 'platform' : `operation ${chain}`;
}

function since({ fault, signed }: ChainReport): string {
  if (fault?.code !== 'checkpoint' || signed === null) return '';
  return `, somewhere from seq ${signed + 1} on`;
}

function summary({ whole, chains, checkpoints, lines, refusalSummaries, ignored }: Report): string {
  const events = chains.reduce((sum, chain) => sum + chain.events, 0);
  const read = `${count(events, 'event')} in ${count(chains.length, 'chain')}`;
  const beside =
    (refusalSummaries === 0
      ? ''
      : `; ${count(refusalSummaries, 'refusal summary', 'refusal summaries')} outside the chains, which nothing proves`) +
    (ignored === 0 ? '' : `; ${count(ignored, 'event')} of other chains ignored`);
  if (!whole) {
    const broken = chains.filter(({ fault }) => fault !== null).length;
    const faults = [
      count(broken, 'chain'),
      ...(lines.faulty === 0 ? [] : [count(lines.faulty, 'line')]),
      ...(checkpoints.faults.length === 0 ? [] : [count(checkpoints.faults.length, 'checkpoint')]),
    ];
    return `NOT WHOLE: ${faults.join(', ')} at fault; ${read}${beside}`;
  }
  return `whole: ${read}${beside}; ${signedWords(chains, checkpoints.good)}`;
}

function signedWords(chains: readonly ChainReport[], checkpoints: number): string {
  if (checkpoints === 0) return 'no checkpoint given: a missing end or a rewritten chain would not be seen';
  const unsigned = chains.reduce((sum, { first, last, signed }) => {
    return last === null ? sum : sum + last - (signed ?? (first ?? 1) - 1);
  }, 0);
  return `${count(checkpoints, 'good checkpoint')}, ${count(unsigned, 'event')} later than the last of their chain`;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
