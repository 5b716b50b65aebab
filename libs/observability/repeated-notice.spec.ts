import { describe, expect, it } from '@jest/globals';
import { RepeatedNotice } from './repeated-notice.ts';

describe('a repeated notice', () => {
  it('is forwarded when it changes, after 30 seconds, and when its cause returns', () => {
    let nowMs = 0;
    const said: string[] = [];
    const notice = new RepeatedNotice(
      (text) => said.push(`${nowMs} ${text}`),
      () => nowMs,
    );
    for (const [atMs, text] of [
      [0, 'refused'],
      [29_000, 'refused'],
      [30_000, 'refused'],
      [31_000, 'timed out'],
    ] as const) {
      nowMs = atMs;
      notice.report(text);
    }
    notice.clear();
    notice.report('timed out');
    expect(said).toEqual(['0 refused', '30000 refused', '31000 timed out', '31000 timed out']);
  });
});
