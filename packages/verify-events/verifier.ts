// The verification of an export as a whole: "Verifying" in docs/event-log-format.md.
import { createHash } from 'node:crypto';
import { Chain } from './chain.ts';
import type { ChainReport } from './chain.ts';
import { checkCheckpoints } from './checkpoints.ts';
import type { CheckpointFault, KeySet } from './checkpoints.ts';
import { canonicalForm, canonicalMembers, isObject, readJson } from './json.ts';
import type { Json, JsonObject } from './json.ts';
import { chainName, placeOf, readEvent } from './shapes.ts';
import type { Checkpoint } from './shapes.ts';

/** Maximum length of a line in bytes, without its line feed. */
export const MAX_LINE_BYTES = 1_048_576;

export type LineCode = 'line-too-long' | 'unterminated' | 'not-utf8' | 'not-json' | 'not-canonical' | 'not-an-event';

export interface LineFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly code: LineCode;
}

export interface Report {
  readonly whole: boolean;
  /** By name. */
  readonly chains: readonly ChainReport[];
  /** Lines outside any chain: their number, and the first one. */
  readonly lines: { readonly faulty: number; readonly first: LineFault | null };
  readonly checkpoints: { readonly good: number; readonly faults: readonly CheckpointFault[] };
  /** Events outside the chains. */
  readonly refusalSummaries: number;
  /** Events of chains that were not selected. */
  readonly ignored: number;
}

export interface VerifierOptions {
  readonly checkpoints?: readonly Json[];
  readonly keys?: KeySet;
  /** The export is a part: each chain may begin and end anywhere. */
  readonly partial?: boolean;
  /** Names of the chains to verify; all if not given. */
  readonly chains?: readonly string[];
}

/** Verifies an export line by line; memory grows with the number of chains and checkpoints, not of events. */
export class Verifier {
  private readonly chains = new Map<string, Chain>();
  private readonly wanted: ReadonlySet<string> | null;
  private readonly partial: boolean;
  private readonly good = new Map<string, Checkpoint[]>();
  private readonly checkpointFaults: readonly CheckpointFault[];
  private readonly goodCheckpoints: number;
  private faultyLines = 0;
  private firstFaultyLine: LineFault | null = null;
  private refusalSummaries = 0;
  private ignored = 0;

  constructor({ checkpoints = [], keys = new Map(), partial = false, chains }: VerifierOptions = {}) {
    this.wanted = chains === undefined ? null : new Set(chains);
    this.partial = partial;
    const { good, faults } = checkCheckpoints(checkpoints, keys, ({ operationId }) =>
      this.isWanted(chainName(operationId)),
    );
    this.checkpointFaults = faults;
    this.goodCheckpoints = good.length;
    for (const checkpoint of good) {
      const chain = chainName(checkpoint.operationId);
      const ofChain = this.good.get(chain);
      if (ofChain === undefined) this.good.set(chain, [checkpoint]);
      else ofChain.push(checkpoint);
    }
  }

  /** Adds the next line, without its line feed. `file` and `line` are for the report. */
  addLine(bytes: Buffer, file: string, line: number): void {
    if (bytes.length > MAX_LINE_BYTES) {
      this.addFaultyLine({ file, line, code: 'line-too-long' });
      return;
    }
    const read = readJson(bytes);
    if ('fault' in read) {
      this.addFaultyLine({ file, line, code: read.fault });
      return;
    }
    const members = isObject(read.value) ? canonicalMembers(read.value) : null;
    if (members === null || joined(members.values()) !== read.text) {
      const otherThanObject = !isObject(read.value) && canonicalForm(read.value) === read.text;
      const code = otherThanObject ? 'not-an-event' : 'not-canonical';
      this.addFaultyValue(read.value, { file, line, code });
      return;
    }
    this.addEvent(read.value as JsonObject, members, { file, line, code: 'not-an-event' });
  }

  /** A line that could not be read to its end: it is too long, or its file ends within it. */
  addFaultyLine(fault: LineFault): void {
    this.faultyLines += 1;
    this.firstFaultyLine ??= fault;
  }

  /** To be called once, after the last line. */
  report(): Report {
    if (!this.partial) {
      for (const name of [...this.good.keys(), ...(this.wanted ?? [])]) this.chain(name);
    }
    const chains = [...this.chains.keys()].sort().map((name) => this.chain(name).report(this.partial));
    const whole =
      this.faultyLines === 0 && this.checkpointFaults.length === 0 && chains.every(({ fault }) => fault === null);
    return {
      whole,
      chains,
      lines: { faulty: this.faultyLines, first: this.firstFaultyLine },
      checkpoints: { good: this.goodCheckpoints, faults: this.checkpointFaults },
      refusalSummaries: this.refusalSummaries,
      ignored: this.ignored,
    };
  }

  private addEvent(value: JsonObject, members: Map<string, string>, fault: LineFault): void {
    const event = readEvent(value);
    if (event === null) {
      this.addFaultyValue(value, fault);
    } else if ('unchained' in event) {
      if (this.isWanted(event.unchained)) this.refusalSummaries += 1;
      else this.ignored += 1;
    } else if (this.isWanted(event.chain)) {
      members.delete('hash');
      const hash = createHash('sha256').update(Buffer.of(0x00)).update(joined(members.values())).digest('hex');
      this.chain(event.chain).add(event, hash);
    } else {
      this.ignored += 1;
    }
  }

  private addFaultyValue(value: Json, fault: LineFault): void {
    const place = placeOf(value);
    if (place === null || (fault.code !== 'not-canonical' && fault.code !== 'not-an-event')) {
      this.addFaultyLine(fault);
    } else if (this.isWanted(place.chain)) {
      this.chain(place.chain).addFaulty(place.seq, fault.code);
    } else {
      this.ignored += 1;
    }
  }

  private isWanted(chain: string): boolean {
    return this.wanted === null || this.wanted.has(chain);
  }

  private chain(name: string): Chain {
    let chain = this.chains.get(name);
    if (chain === undefined) {
      chain = new Chain(name, this.good.get(name) ?? []);
      this.chains.set(name, chain);
    }
    return chain;
  }
}

function joined(members: Iterable<string>): string {
  return `{${[...members].join(',')}}`;
}
