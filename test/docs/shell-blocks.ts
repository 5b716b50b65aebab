import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const SHELLS = ['sh', 'bash', 'shell', 'console'];
const FENCE = /^(`{3,})(\S*)\s*$/;
const SKIP = /^<!-- run: skip, (.+) -->$/;

/** One block of commands in a document. */
export interface ShellBlock {
  /** Line of its first command. */
  readonly line: number;
  readonly text: string;
  /** Why it is not run, from `<!-- run: skip, REASON -->` on the line before it. */
  readonly skip: string | undefined;
}

/** Every document whose commands a reader may type: README, CONTRIBUTING, and the pages of docs/. */
export function documents(): string[] {
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...pages.map((name) => `docs/${name}`)];
}

/**
 * The blocks of commands of a document, in order.
 *
 * @throws Error for a block that names no language, and for a marker without a reason: nothing is left out silently
 */
export function shellBlocks(document: string): ShellBlock[] {
  const lines = readFileSync(join(ROOT, document), 'utf8').split('\n');
  const blocks: ShellBlock[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const opening = FENCE.exec(lines[index] ?? '');
    if (opening === null) continue;
    const [, ticks = '```', language = ''] = opening;
    if (language === '') throw new Error(`${document}, line ${index + 1}: name the language of this block`);
    const end = lines.indexOf(ticks, index + 1);
    if (end < 0) throw new Error(`${document}, line ${index + 1}: this block has no end`);
    if (SHELLS.includes(language)) {
      const marker = previousText(lines, index);
      const skip = SKIP.exec(marker)?.[1];
      if (marker.startsWith('<!-- run:') && skip === undefined) {
        throw new Error(`${document}, line ${index}: write <!-- run: skip, REASON -->`);
      }
      blocks.push({ line: index + 2, text: lines.slice(index + 1, end).join('\n'), skip });
    }
    index = end;
  }
  return blocks;
}

function previousText(lines: readonly string[], index: number): string {
  return lines.slice(0, index).findLast((line) => line.trim() !== '') ?? '';
}
