import { describe, expect, it } from '@jest/globals';
import { countResults } from './jest-run.ts';

const summary = (counts: object): string =>
  JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
    success: true,
    ...counts,
  });

describe('the counted results', () => {
  it.each([
    ['all passed', summary({ numPassedTests: 5, numPendingTests: 1, numTodoTests: 1 }), 0, [5, 0, 2]],
    ['some failed', summary({ numPassedTests: 5, numFailedTests: 2, success: false }), 1, [5, 2, 0]],
    ['a suite did not run', summary({ numPassedTests: 5, numRuntimeErrorTestSuites: 1, success: false }), 1, [5, 1, 0]],
    ['no test was found', summary({}), 0, [0, 1, 0]],
    ['all were skipped', summary({ numPendingTests: 4 }), 0, [0, 1, 4]],
    ['Jest failed for another reason', summary({ numPassedTests: 5, success: false }), 1, [5, 1, 0]],
    ['Jest was killed after its summary', summary({ numPassedTests: 5 }), null, [5, 1, 0]],
    ['Jest was killed before it', null, null, [0, 1, 0]],
  ] as const)('when %s', (_case, json, exitCode, [passed, failed, skipped]) => {
    expect(countResults(json, exitCode)).toEqual({ passed, failed, skipped });
  });
});
