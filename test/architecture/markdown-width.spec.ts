import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const MAX_COLUMNS = 120;
const FOLDERS = ['apps', 'bench', 'deploy', 'docs', 'libs', 'packages', 'test', 'tools'];
const GENERATED = ['docs/events.md', 'bench/RESULTS.md'];

function pages(): string[] {
  const nested = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  return [...readdirSync('.'), ...nested].filter(
    (file) => file.endsWith('.md') && !file.includes('node_modules') && !GENERATED.includes(file),
  );
}

/** Lines of prose that are too long. Code blocks, tables, headings and single long words such as links are exempt. */
function longLines(page: string): string[] {
  let fence: string | undefined;
  return readFileSync(page, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      const [, mark] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
      if (mark !== undefined) fence = fence === undefined ? mark : line.trim() === fence ? undefined : fence;
      const canBreak = /\S\s+\S/.test(line.slice(0, MAX_COLUMNS));
      const isProse = fence === undefined && !/^\s*(\||<!--|#)|^ {4}/.test(line);
      return isProse && canBreak && Array.from(line).length > MAX_COLUMNS ? [`${index + 1}: ${line}`] : [];
    });
}

describe('Markdown', () => {
  it.each(pages())('wraps the prose of %s at 120 columns', (page) => {
    expect(longLines(page)).toEqual([]);
  });
});
