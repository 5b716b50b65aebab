import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CredentialReader, CredentialRepository } from '#credentials';
import { Clock, newClientId } from '#kernel';
import type { TokenSlot, TokenRepository } from '#tokens';
import { prepareIssue } from './issue-batch.ts';
import type { PreparedIssue } from './issue-batch.ts';
import { IssueWriter } from './issue-writer.ts';
import { issueRequest } from './test-support/issue-request.ts';

const OPERATION = 'op_1';
const SESSION = undefined as never;
const clientId = newClientId();

class SetClock extends Clock {
  at = new Date('2026-11-23T12:00:00Z');
  override nowMs(): number {
    return this.at.getTime();
  }
}

const issue = (version = 1, secretId = 'se_1'): PreparedIssue =>
  prepareIssue(issueRequest({ id: 'cr_1', operationId: OPERATION, clientId, tokenTtlSeconds: 600, version }, secretId));

describe('IssueWriter', () => {
  const asked: string[] = [];
  let stored: TokenSlot[];
  let clock: SetClock;
  let writer: IssueWriter;

  beforeEach(() => {
    asked.length = 0;
    stored = [];
    clock = new SetClock();
    const tokens = {
      slots: (ids: readonly string[]) => {
        asked.push(`slots of ${ids.join()}`);
        return Promise.resolve([...stored]);
      },
    } as unknown as TokenRepository;
    const credentials = {
      touch: (uses: readonly { secretId: string; version: number }[]) => {
        asked.push(...uses.map(({ secretId, version }) => `version ${version}, use of ${secretId}`));
        return Promise.resolve(new Set());
      },
    } as unknown as CredentialRepository;
    const reader = { forget: (id: string) => asked.push(`forget ${id}`) } as unknown as CredentialReader;
    writer = new IssueWriter(tokens, credentials, reader, clock);
  });

  const ends = (seq: number): Map<string, { seq: number }> => new Map([[OPERATION, { seq }]]);

  /** One batch on a chain that ends at `from`; it appends an event for each token. @returns which callers got one */
  async function batch(issues: readonly PreparedIssue[], from: number): Promise<(boolean | string)[]> {
    const settled = await writer.settle(issues, SESSION, ends(from));
    if (settled.settled.events.length > 0) writer.learn(issues, settled, ends(from + settled.settled.events.length));
    stored = [...(settled.settled.slots.get('cr_1') ?? stored)];
    return settled.settled.outcomes.map((outcome) =>
      outcome instanceof Error ? outcome.constructor.name : !outcome.stale,
    );
  }

  it('reads unknown credentials, and uses the remembered state while the chain ends where it left it', async () => {
    expect(await batch([issue(), issue()], 7)).toEqual([true, true]);
    expect(asked.splice(0)).toEqual(['version 1, use of se_1', 'slots of cr_1']);
    expect(await batch([issue()], 9)).toEqual([true]);
    expect(await batch([issue()], 10)).toEqual([true]);
    expect(asked).toEqual([]);
    expect(stored.map(({ slot }) => slot)).toEqual([0, 1, 2, 3]);
  });

  it('reads if the chain has moved on, or the request was checked against another version', async () => {
    await batch([issue()], 7);
    asked.length = 0;
    await batch([issue()], 9);
    expect(asked.splice(0)).toEqual(['version 1, use of se_1', 'slots of cr_1']);
    await batch([issue(2)], 10);
    expect(asked.splice(0)).toEqual(['version 2, use of se_1', 'slots of cr_1']);
  });

  it('reports a request as stale if another in the batch was checked against a newer version', async () => {
    await batch([issue(2)], 7);
    asked.length = 0;
    expect(await batch([issue(1), issue(2)], 8)).toEqual([false, true]);
    expect(asked).toEqual([`forget ${clientId}`]);
  });

  it('refuses no request without reading the slots', async () => {
    await batch(
      Array.from({ length: 10 }, () => issue()),
      7,
    );
    asked.length = 0;
    expect(await batch([issue()], 17)).toEqual(['TokenLimitReached']);
    expect(asked.splice(0)).toEqual(['version 1, use of se_1', 'slots of cr_1']);
    stored.pop();
    expect(await batch([issue(), issue()], 17)).toEqual([true, 'TokenLimitReached']);
    expect(asked).toEqual(['version 1, use of se_1', 'slots of cr_1']);
  });

  it('records the use of each secret once a minute', async () => {
    await batch([issue(1, 'se_1')], 1);
    await batch([issue(1, 'se_2')], 2);
    expect(asked.splice(0)).toEqual(['version 1, use of se_1', 'slots of cr_1', 'version 1, use of se_2']);
    clock.at = new Date(clock.at.getTime() + 59_999);
    await batch([issue(1, 'se_1'), issue(1, 'se_2')], 3);
    expect(asked).toEqual([]);
    clock.at = new Date(clock.at.getTime() + 1);
    await batch([issue(1, 'se_1'), issue(1, 'se_2')], 5);
    expect(asked).toEqual(['version 1, use of se_1', 'version 1, use of se_2']);
  });
});
