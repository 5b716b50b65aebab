import { describe, expect, it } from '@jest/globals';
import { KnownSlots } from './known-slots.ts';
import type { KnownCredential } from './known-slots.ts';

const credential = (version: number): KnownCredential => ({ version, slots: [], notedAt: new Map() });

describe('KnownSlots', () => {
  it('remembers the state after a transaction while the chain ends where it did', () => {
    const known = new KnownSlots();
    known.learn('op_1', [undefined, 7], new Map([['cr_1', credential(1)]]));
    expect(known.of('op_1', 7, 'cr_1')?.version).toBe(1);
    expect(known.of('op_1', 7, 'cr_2')).toBeUndefined();
    expect(known.of('op_2', 7, 'cr_1')).toBeUndefined();
    expect(known.of('op_1', 8, 'cr_1')).toBeUndefined();
    expect(known.of('op_1', undefined, 'cr_1')).toBeUndefined();
  });

  it('keeps the operation’s other credentials if the next transaction began where that one ended', () => {
    const known = new KnownSlots();
    known.learn('op_1', [undefined, 7], new Map([['cr_1', credential(1)]]));
    known.learn('op_1', [7, 9], new Map([['cr_2', credential(4)]]));
    expect(known.of('op_1', 9, 'cr_1')?.version).toBe(1);
    expect(known.of('op_1', 9, 'cr_2')?.version).toBe(4);
  });

  it.each([8, undefined])('forgets the others if another event came between (the chain ended at %s)', (before) => {
    const known = new KnownSlots();
    known.learn('op_1', [undefined, 7], new Map([['cr_1', credential(1)]]));
    known.learn('op_1', [before, 9], new Map([['cr_2', credential(4)]]));
    expect(known.of('op_1', 9, 'cr_1')).toBeUndefined();
    expect(known.of('op_1', 9, 'cr_2')?.version).toBe(4);
  });
});
