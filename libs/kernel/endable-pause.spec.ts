import { describe, expect, it } from '@jest/globals';
import { EndablePause } from './endable-pause.ts';

const NEVER_MS = 2 ** 31 - 1;

describe('EndablePause', () => {
  it('waits for the time', async () => {
    const before = performance.now();
    await new EndablePause().wait(20);
    // a timer may fire a little early
    expect(performance.now() - before).toBeGreaterThanOrEqual(18);
  });

  it('ends when it is told to', async () => {
    const pause = new EndablePause();
    const waited = pause.wait(NEVER_MS);
    pause.end();
    await waited;
  });

  it('ignores an end while nothing waits, and can be used again', async () => {
    const pause = new EndablePause();
    pause.end();
    let isOver = false;
    const waited = pause.wait(NEVER_MS).then(() => (isOver = true));
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    pause.end();
    await waited;
  });
});
