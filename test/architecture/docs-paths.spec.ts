import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...markdownUnder('docs'),
  ...markdownUnder('libs'),
  ...markdownUnder('tools'),
];

function markdownUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file));
}

/** Paths of the project that a page names: in backticks, or as the target of a link. */
function pathsIn(page: string): string[] {
  const text = readFileSync(page, 'utf8');
  const quoted = [...text.matchAll(/`((?:apps|libs|test|tools|bench|docs)\/[\w./-]+)`/g)].map(
    (match) => match[1] ?? '',
  );
  const linked = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) =>
    normalize(join(dirname(page), match[1] ?? '')),
  );
  return [...quoted, ...linked];
}

describe('the docs', () => {
  it.each(pages)('%s names only paths that exist', (page) => {
    expect(pathsIn(page).filter((path) => !existsSync(path))).toEqual([]);
  });

  it('list at least twelve questions with the file that answers each', () => {
    const rows =
      readFileSync('README.md', 'utf8')
        .split('## Question → file')[1]
        ?.match(/^\| [^|]+\? \|/gm) ?? [];
    expect(rows.length).toBeGreaterThanOrEqual(12);
  });
});
