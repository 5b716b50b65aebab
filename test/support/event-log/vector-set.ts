/** A directory of vectors: files, and cases that name them. */
export interface Place {
  readonly seq: number;
  readonly code: string;
}

/** The inputs of a verifier, by file names, and its required answer. */
export interface VectorCase {
  readonly name: string;
  readonly events: readonly string[];
  readonly checkpoints?: readonly string[];
  readonly keys?: readonly string[];
  readonly partial?: boolean;
  readonly chains?: readonly string[];
  readonly exit: 0 | 1 | 2;
  /** Faulty chains by name, the first faulty line outside the chains, and faulty checkpoints by id. */
  readonly faults?: {
    readonly chains?: Readonly<Record<string, Place>>;
    readonly line?: { readonly line: number; readonly code: string };
    readonly checkpoints?: Readonly<Record<string, string>>;
  };
}

export const SIGNED = { checkpoints: ['checkpoints.json'], keys: ['keys.json'] };

/** Collects the files and cases; refuses to write a file twice. */
export class VectorSet {
  readonly files = new Map<string, Buffer>();
  readonly cases: VectorCase[] = [];

  file(name: string, content: Buffer | object): string {
    if (this.files.has(name)) throw new Error(`${name} is there already`);
    this.files.set(name, Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content)));
    return name;
  }

  case(...vectors: VectorCase[]): void {
    this.cases.push(...vectors);
  }

  /** A case with an export of its own; `faults` null: it is whole. */
  tampered(
    name: string,
    events: Buffer,
    faults: VectorCase['faults'] | null,
    given: Pick<VectorCase, 'checkpoints' | 'keys'> = SIGNED,
  ): void {
    const file = this.file(`${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}.ndjson`, events);
    this.case({
      name,
      events: [file],
      ...given,
      exit: faults === null ? 0 : 1,
      ...(faults === null ? {} : { faults }),
    });
  }
}
