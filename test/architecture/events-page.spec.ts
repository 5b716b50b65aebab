import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventCatalogue } from '../../libs/events/event-types/event-catalogue.ts';
import { eventsPage, exampleData } from '../support/event-log/events-page.ts';

const PAGE = 'docs/events.md';

/** Texts in the service's code that are types of events. */
function typesInCode(): string[] {
  const files = ['apps', 'libs'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const code = files.filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !file.startsWith('libs/events/event-types/'),
  );
  const found = code.flatMap((file) => readFileSync(file, 'utf8').match(/(?<=')[a-z-]+\.[a-z-]+\.v\d+(?=')/g) ?? []);
  return [...new Set(found)].sort();
}

describe('the catalogue of events', () => {
  beforeAll(() => {
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, eventsPage());
  });

  it('has every type that the code writes, and beside those only types that were written once', () => {
    const written = eventCatalogue.filter(({ writtenUntil }) => writtenUntil === undefined);
    expect(written.map(({ type }) => type).sort()).toEqual(typesInCode());
    for (const { type, writtenUntil } of eventCatalogue) {
      if (writtenUntil === undefined) continue;
      const next = type.replace(/\d+$/, (version) => String(Number(version) + 1));
      expect(eventCatalogue.map((event) => event.type)).toContain(next);
    }
  });

  it.each(eventCatalogue)('describes every member of $type, by an example that is one', (event) => {
    expect(event.data.safeParse(exampleData(event))).toMatchObject({ success: true });
    for (const member of Object.values(event.data.shape)) {
      const { description, example } = (member as { meta(): Record<string, unknown> }).meta();
      expect(description).toMatch(/\.$/);
      expect(example).toBeDefined();
    }
  });

  it('is docs/events.md', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(eventsPage());
  });
});
