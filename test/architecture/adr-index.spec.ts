import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'docs/adr';

function records(): { file: string; title: string }[] {
  return readdirSync(FOLDER)
    .filter((file) => /^\d{4}-/.test(file))
    .map((file) => {
      const [firstLine = ''] = readFileSync(join(FOLDER, file), 'utf8').split('\n');
      return { file, title: firstLine.replace(/^# \d{4} /, '') };
    });
}

describe('the index of decision records', () => {
  const index = readFileSync(join(FOLDER, 'README.md'), 'utf8');

  it.each(records())('lists $file with its title, a status and a date', ({ file, title }) => {
    const row = index.split('\n').find((line) => line.startsWith(`| [${file.slice(0, 4)}](${file}) |`));
    const [, , name, status, date] = row?.split('|').map((cell) => cell.trim()) ?? [];
    expect({ name, status, date }).toEqual({
      name: title,
      status: expect.stringMatching(/^(accepted|superseded by \d{4})$/),
      date: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    });
  });

  it('gives no number twice', () => {
    const numbers = records().map(({ file }) => file.slice(0, 4));
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
