import { describe, expect, it } from '@jest/globals';
import { Refusal } from './refusal.ts';

class NotToday extends Refusal {
  override readonly name = 'NotToday';
}

describe('Refusal', () => {
  it('is an error with a message and without a stack; other errors keep their stack', () => {
    const refusal = new NotToday('not today');
    expect(refusal).toBeInstanceOf(Error);
    expect(String(refusal)).toBe('NotToday: not today');
    expect(refusal.stack).not.toContain('    at ');
    expect(new Error('a fault').stack).toContain('    at ');
  });
});
