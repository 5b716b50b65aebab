import { describe, expect, it } from '@jest/globals';
import { behaviourFlags } from './behaviour.ts';

describe('the behaviour of the stand-in', () => {
  it('is strict for tests and lenient for npm start', () => {
    expect(behaviourFlags({}, false)).toEqual(['--strict']);
    expect(behaviourFlags({}, true)).toEqual([]);
  });

  it('follows LATCHKEY_STORE_STRICT in both', () => {
    expect(behaviourFlags({ LATCHKEY_STORE_STRICT: '0' }, false)).toEqual([]);
    expect(behaviourFlags({ LATCHKEY_STORE_STRICT: '1' }, true)).toEqual(['--strict']);
  });

  it('has the delays of the environment, strict or not', () => {
    const delays = { LATCHKEY_STORE_RTT_MS: '1.2', LATCHKEY_STORE_COMMIT_MS: '4' };
    expect(behaviourFlags(delays, true)).toEqual(['--rtt-ms', '1.2', '--commit-ms', '4']);
    expect(behaviourFlags(delays, false)).toEqual(['--strict', '--rtt-ms', '1.2', '--commit-ms', '4']);
  });
});
