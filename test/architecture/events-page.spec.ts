import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as eventTypes from '../../libs/event-types/index.ts';
import { eventCatalogue } from '../../libs/event-types/event-catalogue.ts';
import { eventsPage, exampleData } from '../support/event-log/events-page.ts';

const PAGE = 'docs/events.md';

/** Names of the classes of events that production code uses by name, and event types that it writes as bare strings. */
function eventsInCode(): { readonly classes: readonly string[]; readonly strings: readonly string[] } {
  const files = ['apps', 'libs'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  const code = files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !file.startsWith('libs/event-types/'))
    .map((file) => readFileSync(file, 'utf8'));
  return {
    classes: code.flatMap((text) => text.match(/(?<=\bnew )[A-Z][A-Za-z]+(?=\()/g) ?? []),
    strings: code.flatMap((text) => text.match(/(?<=')[a-z-]+\.[a-z-]+\.v\d+(?=')/g) ?? []),
  };
}

describe('the catalogue of events', () => {
  beforeAll(() => {
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, eventsPage());
  });

  it('names event types by their classes only, and creates an event of each', () => {
    const { classes, strings } = eventsInCode();
    expect(strings).toEqual([]);
    const summedUp = ['SignInRefused'];
    const names = Object.entries(eventTypes).flatMap(([name, value]) =>
      typeof value === 'function' && 'type' in value ? [name] : [],
    );
    expect(names.filter((name) => !classes.includes(name))).toEqual(summedUp);
  });

  it('has a newer version of each type that is no longer written', () => {
    for (const { type, writtenUntil } of eventCatalogue) {
      if (writtenUntil === undefined) continue;
      const next = type.replace(/\d+$/, (version) => String(Number(version) + 1));
      expect(eventCatalogue.map((event) => event.type)).toContain(next);
    }
  });

  it.each(eventCatalogue)('describes every member of $type, with a valid example', (event) => {
    expect(event.data.safeParse(exampleData(event))).toMatchObject({ success: true });
    for (const member of Object.values(event.data.shape)) {
      const { description, example } = (member as { meta(): Record<string, unknown> }).meta();
      expect(description).toMatch(/\.$/);
      expect(example).toBeDefined();
    }
  });

  it('matches docs/events.md', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(eventsPage());
  });
});
