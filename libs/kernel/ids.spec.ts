import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { newId } from './ids.ts';

describe('newId', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('is its prefix followed by a version 7 UUID that starts with the time', () => {
    const atMs = Date.now() + 3_600_000;
    jest.spyOn(Date, 'now').mockReturnValue(atMs);
    const id = newId('ev');
    expect(id).toMatch(/^ev_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    expect(parseInt(id.slice(3, 15), 16)).toBe(atMs);
  });

  it('sorts by creation order, within a millisecond and after the clock was set back', () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 120_000);
    const ids = Array.from({ length: 500 }, () => newId('tk'));
    now.mockReturnValue(Date.now() - 5_000);
    ids.push(...Array.from({ length: 500 }, () => newId('tk')));
    expect(ids.toSorted()).toStrictEqual(ids);
    expect(new Set(ids).size).toBe(1_000);
  });

  it('never repeats an id', () => {
    expect(new Set(Array.from({ length: 100_000 }, () => newId('cr').slice(-12))).size).toBe(100_000);
  });
});
