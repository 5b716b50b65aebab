import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { eventLine, hashEvent } from '../../libs/chain/chain.ts';
import type { LogEvent } from '../../libs/chain/chain.ts';
import { eventLogVectors, VECTORS } from '../support/event-log/vectors.ts';

const page = readFileSync(new URL('../../event-log-format.md', VECTORS), 'utf8');
const block = (language: string): string => {
  const found = new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`the format page has no ${language} block`);
  return found;
};

describe("the event log's published format", () => {
  it('is what the service writes and signs, byte for byte', async () => {
    const built = await eventLogVectors();
    expect(readdirSync(VECTORS).sort()).toEqual([...built.keys()].sort());
    for (const [name, bytes] of built) {
      expect({ name, text: readFileSync(new URL(name, VECTORS), 'latin1') }).toEqual({
        name,
        text: bytes.toString('latin1'),
      });
    }
  });

  it('has a correct example', () => {
    const event = JSON.parse(block('json')) as LogEvent;
    expect(hashEvent(event)).toBe(event.hash);
    expect(block('text')).toBe(eventLine(event).replace(`"hash":"${event.hash}",`, ''));
  });
});
