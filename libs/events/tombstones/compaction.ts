import { randomBytes } from 'node:crypto';
import { ChainMarks } from './chain-marks.ts';
import { MAX_LIFE_MS, markOf } from './tombstone.ts';
import type { Tombstone } from './tombstone.ts';
import {
  readTombstones,
  removeTombstoneFiles,
  tombstoneFileName,
  tombstoneFiles,
  writeTombstoneFile,
} from './tombstone-files.ts';
import { UserStatuses, isStatus } from './user-statuses.ts';

const DAY_MS = 86_400_000;
/** Younger files may still be written by an instance whose clock is behind. */
const MIN_AGE_MS = 2 * DAY_MS;
const MIN_FILES = 2;

/**
 * Merges the files of past days: each id once, nothing that has expired, only the newest status of each user and the
 * newest mark of each chain. The new file is on disk before an old one is removed, so a crash loses no line. Does
 * nothing if a line is unreadable.
 *
 * @returns the number of replaced files
 */
export async function compactTombstones(folder: string, nowMs: number): Promise<number> {
  const lastDay = new Date(nowMs - MIN_AGE_MS).toISOString().slice(0, 10);
  const settled = (await tombstoneFiles(folder)).filter(({ day }) => day < lastDay);
  const [oldest] = settled;
  if (oldest === undefined || settled.length < MIN_FILES) return 0;
  const names = new Set(settled.map(({ name }) => name));
  const unreadable: unknown[] = [];
  const marks = new ChainMarks();
  for await (const line of readTombstones(folder, (fault) => unreadable.push(fault))) marks.supersede(line);
  const statuses = new UserStatuses();
  for await (const line of readTombstones(folder, () => undefined)) {
    marks.add(line);
    statuses.add(line);
  }
  if (unreadable.length > 0) return 0;
  const kept = new CompactedLines(marks, statuses, nowMs);
  for await (const line of readTombstones(folder, () => undefined, names)) kept.add(line);
  await writeTombstoneFile(folder, tombstoneFileName(oldest.day, randomBytes(6).toString('hex')), kept.lines);
  await removeTombstoneFiles(folder, [...names]);
  return names.size;
}

class CompactedLines {
  readonly lines: Tombstone[] = [];
  private readonly seen = new Set<string>();

  constructor(
    private readonly marks: ChainMarks,
    private readonly statuses: UserStatuses,
    private readonly nowMs: number,
  ) {}

  add(line: Tombstone): void {
    if (this.marks.isSuperseding(line) && this.isNew(`reconciled ${line.chain}`)) this.lines.push(line);
    const ids = this.isExpired(line) ? [] : line.ids.filter((id) => this.isKept(line, id));
    if (ids.length > 0) this.lines.push({ ...line, ids });
    else if (line.kind !== 'reconciled' && this.marks.isNewest(line) && this.isNew(`mark ${line.chain}`)) {
      this.lines.push(markOf(line.chain, line.seq, line.hash, line.at));
    }
  }

  private isKept(line: Tombstone, id: string): boolean {
    if (isStatus(line) && !this.statuses.isNewest(line, id)) return false;
    return this.isNew(`${line.kind} ${id} ${line.endsAt ?? ''}`);
  }

  private isExpired({ kind, at }: Tombstone): boolean {
    const lifeMs = MAX_LIFE_MS[kind];
    return lifeMs !== undefined && Date.parse(at) + lifeMs + DAY_MS < this.nowMs;
  }

  private isNew(key: string): boolean {
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    return true;
  }
}
