import { describe, expect, it } from '@jest/globals';
import { Attempts } from './attempts.ts';

describe('attempts', () => {
  it('keeps the key for the same request until Try it out is pressed again', () => {
    let made = 0;
    const attempts = new Attempts(() => `key-${(made += 1)}`);
    expect(attempts.keyFor('create', 'A')).toBe('key-1');
    expect(attempts.keyFor('create', 'A')).toBe('key-1');
    expect(attempts.keyFor('create', 'B')).toBe('key-2');
    expect(attempts.keyFor('rotate', 'A')).toBe('key-3');
    attempts.begin('create');
    expect(attempts.keyFor('create', 'A')).toBe('key-4');
    expect(attempts.keyFor('rotate', 'A')).toBe('key-3');
  });
});
