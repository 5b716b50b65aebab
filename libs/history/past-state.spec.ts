import { describe, expect, it } from '@jest/globals';
import { PastState } from './past-state.ts';
import type { PastEvent } from './past-state.ts';

const time = (minute: number): Date => new Date(Date.UTC(2026, 10, 23, 10, minute));
const event = (seq: number, type: string, data: PastEvent['data'] = {}): PastEvent => ({
  seq,
  type,
  at: time(seq),
  data,
});
const created = (apis: string[]): PastEvent => event(1, 'credential.created.v1', { name: 'one', apis });
const updated = (seq: number, before: string[], after: string[]): PastEvent =>
  event(seq, 'credential.updated.v2', { before: { apis: before }, after: { apis: after } });
const deleted = (seq: number): PastEvent => event(seq, 'credential.deleted.v1', { clientId: 'lk_ci', name: 'one' });
const past = (current: string[] | undefined, events: PastEvent[], minute: number): PastState =>
  new PastState(current === undefined ? undefined : { apis: current, createdAt: time(1) }, events, time(minute));

describe('PastState', () => {
  const history = [created(['a']), updated(3, ['a'], ['a', 'b']), updated(5, ['a', 'b'], ['b'])];

  it.each([
    [2, ['a']],
    [3, ['a', 'b']],
    [4, ['a', 'b']],
    [5, ['b']],
    [9, ['b']],
  ])('undoes the changes after minute %i', (minute, apis) => {
    expect(past(['b'], history, minute).valueOf('apis')).toEqual({ value: apis });
    // the events after that moment are enough
    const kept = history.filter(({ at }) => at > time(minute));
    expect(past(['b'], kept, minute).valueOf('apis')).toEqual({ value: apis });
  });

  it('takes events in the order of the chain, whatever order they come in', () => {
    expect(past(['b'], history.toReversed(), 2).valueOf('apis')).toEqual({ value: ['a'] });
  });

  it('knows an attribute that was null', () => {
    const events = [event(3, 'credential.updated.v2', { before: { owner: null }, after: { owner: 'Ada' } })];
    const current = { owner: 'Ada', createdAt: time(1) };
    expect(new PastState(current, events, time(2)).valueOf('owner')).toEqual({ value: null });
  });

  it('looks further back where version 0.1.0 wrote the new values only', () => {
    const events = [created(['a']), event(3, 'credential.updated.v1', { changed: { apis: ['b'] } })];
    expect(past(['b'], events, 2).valueOf('apis')).toEqual({ value: ['a'] });
    expect(past(['b'], events, 4).valueOf('apis')).toEqual({ value: ['b'] });
    expect(past(['b'], events.slice(1), 2).valueOf('apis')).toBeUndefined();
  });

  it('rebuilds what is deleted from the events before, or says that they do not tell', () => {
    const gone = [...history, deleted(7)];
    expect(past(undefined, gone, 6).valueOf('apis')).toEqual({ value: ['b'] });
    expect(past(undefined, gone, 2).valueOf('apis')).toEqual({ value: ['a'] });
    expect(past(undefined, [deleted(7)], 6).valueOf('apis')).toBeUndefined();
    expect(past(undefined, gone, 6).deletedAt).toEqual(time(7));
    expect(past(undefined, gone, 6).ofDeletion('clientId')).toBe('lk_ci');
  });

  it('exists from its creation to its deletion', () => {
    const gone = [...history, deleted(7)];
    expect([0, 1, 6, 7, 8].map((minute) => past(undefined, gone, minute).exists)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect([0, 1].map((minute) => past(['b'], history, minute).exists)).toEqual([false, true]);
    // created before the log begins
    expect(past(undefined, [deleted(7)], 6).exists).toBe(true);
  });
});
