import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { InputError, KeyRing, listOfCheckpoints } from './checkpoints.ts';
import type { KeySet } from './checkpoints.ts';
import { readJson } from './json.ts';
import { renderReview, requireKeys, verifyReview } from './review.ts';
import type { ReviewReport } from './review.ts';
import type { Json } from './json.ts';
import { readEvents } from './lines.ts';
import { render } from './render.ts';
import { isIdentifier } from './shapes.ts';
import { Verifier } from './verifier.ts';
import type { Report } from './verifier.ts';

const USAGE = `Usage: latchkey-verify --events FILE … [--checkpoints FILE … (--keys FILE | --public-key FILE) …] [options]

Tells whether an export of Latchkey's event log is whole (docs/event-log-format.md), and if not, what is wrong where.

  --events FILE       the export, NDJSON; "-" is standard input. Several (an archive and what follows it) are read in order
  --checkpoints FILE  what GET /v1/checkpoints answered. Without checkpoints a missing end or a rewritten chain goes unseen
  --keys FILE         what /.well-known/latchkey-checkpoint-keys answered; best one that you kept yourself
  --review FILE       an access review (GET /v1/reviews/access), with or without --events; needs --keys or --public-key
  --public-key FILE   an Ed25519 public key in PEM
  --chain NAME        verify this chain only: an operation's id, or "platform"; may be given several times
  --partial           the export has only a part of each chain (from, to): take its beginning and end as they come
  --json              answer with a JSON report
  --verbose           one line for each whole chain too

Exit code: 0 whole, 1 not whole, 2 called wrongly or an input could not be read
`;

/** The input and output of the command-line tool. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Pick<Writable, 'write'>;
  readonly stderr: Pick<Writable, 'write'>;
}

class UsageError extends Error {}

/** Runs the tool. @returns the exit code: 0 whole, 1 not whole, 2 wrong arguments or an unreadable input */
export async function main(args: readonly string[], io: Io): Promise<0 | 1 | 2> {
  try {
    const options = parse(args);
    if (options.help) {
      io.stdout.write(USAGE);
      return 0;
    }
    const keys = await readKeys(options);
    const reviews = await readReviews(options.review, keys);
    const verifier = await prepare(options, keys, reviews);
    for (const path of options.events) await naming(path, () => readEvents(path, verifier, io.stdin));
    const report = verifier.report();
    if (options.events.length > 0 && isEmpty(report) && !options.partial)
      throw new InputError('there is no event in the export');
    io.stdout.write(answerOf(report, reviews, options));
    const isWhole = (options.events.length === 0 || report.whole) && reviews.every(([, { fault }]) => fault === null);
    return isWhole ? 0 : 1;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    io.stderr.write(`latchkey-verify: ${message}\n${error instanceof UsageError ? `\n${USAGE}` : ''}`);
    return 2;
  }
}

function parse(args: readonly string[]) {
  const many = { type: 'string', multiple: true, default: [] as string[] } as const;
  const flag = { type: 'boolean', default: false } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        events: many,
        review: many,
        checkpoints: many,
        keys: many,
        'public-key': many,
        chain: many,
        partial: flag,
        json: flag,
        verbose: flag,
        help: { ...flag, short: 'h' },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return values;
  const keys = values.keys.length + values['public-key'].length;
  if (values.events.length + values.review.length === 0) throw new UsageError('--events or --review is missing');
  if (values.checkpoints.length > 0 && keys === 0) throw new UsageError('--checkpoints needs --keys or --public-key');
  if (values.checkpoints.length + values.review.length === 0 && keys > 0)
    throw new UsageError('keys are of no use without --checkpoints');
  if (!values.chain.every(isIdentifier)) throw new UsageError('--chain is no operation id');
  return values;
}

// a failed download proves nothing
function isEmpty({ chains, lines, refusalSummaries, ignored }: Report): boolean {
  return chains.length + lines.faulty + refusalSummaries + ignored === 0;
}

type Options = ReturnType<typeof parse>;
type Reviews = readonly (readonly [path: string, report: ReviewReport])[];

function answerOf(report: Report, reviews: Reviews, { json, events, verbose }: Options): string {
  if (json)
    return `${JSON.stringify(reviews.length === 0 ? report : { ...report, reviews: reviews.map(([, review]) => review) })}\n`;
  const seals = reviews.map(([path, review]) => renderReview(path, review)).join('');
  return events.length === 0 ? seals : seals + render(report, verbose);
}

async function readKeys(options: Options): Promise<KeySet> {
  const ring = new KeyRing();
  for (const path of options.keys) await naming(path, async () => ring.addSet(await readDocument(path)));
  for (const path of options['public-key']) {
    await naming(path, async () => ring.addPem(await readFile(path, 'utf8')));
  }
  return ring.keys;
}

async function readReviews(paths: readonly string[], keys: KeySet): Promise<Reviews> {
  if (paths.length > 0) requireKeys(keys);
  const reviews: [string, ReviewReport][] = [];
  for (const path of paths) {
    await naming(path, async () => void reviews.push([path, verifyReview(await readFile(path), keys)]));
  }
  return reviews;
}

/** The checkpoints of good reviews count too: then the export must contain their events. */
async function prepare(options: Options, keys: KeySet, reviews: Reviews): Promise<Verifier> {
  const checkpoints: Json[] = reviews.flatMap(([, { fault, checkpoint }]) => (fault === null ? [checkpoint] : []));
  for (const path of options.checkpoints) {
    // no spread of arguments: there may be too many for a call
    await naming(path, async () => {
      for (const checkpoint of listOfCheckpoints(await readDocument(path))) checkpoints.push(checkpoint);
    });
  }
  const chains = options.chain.length === 0 ? {} : { chains: options.chain };
  return new Verifier({ checkpoints, keys, partial: options.partial, ...chains });
}

async function readDocument(path: string): Promise<Json> {
  const read = readJson(await readFile(path));
  if ('fault' in read) throw new InputError(read.fault === 'not-utf8' ? 'not UTF-8' : 'not JSON');
  return read.value;
}

/** In a sentence, where the system only has a code. */
const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder, not a file',
};

function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return SYSTEM_REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}

async function naming(path: string, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}
