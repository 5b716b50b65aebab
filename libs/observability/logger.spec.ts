import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DomainError } from '#kernel';
import { createLogger } from './logger.ts';
import type { Logger } from './logger.ts';

interface Line {
  readonly err: { readonly message: string; readonly stack?: string };
  readonly chain?: string;
}

/** What is logged by `log`. */
function logged(log: (logger: Logger) => void): Line {
  const lines: string[] = [];
  log(createLogger('trace', { write: (line) => lines.push(line) }));
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Line;
}

describe('an error in the log', () => {
  const away = new DomainError('store-unavailable', 'The store cannot be reached.', {
    cause: new Error('ECONNREFUSED'),
  });

  it.each(['info', 'warn'] as const)('is a sentence with its causes, without a stack, at the level %s', (level) => {
    const error = new Error('outer', { cause: new Error('inner') });
    const { err, chain } = logged((logger) => logger[level]({ err: error, chain: 'platform' }, 'not done yet'));
    expect(err.message).toBe('outer: inner');
    expect(err).not.toHaveProperty('stack');
    expect(chain).toBe('platform');
  });

  it.each(['error', 'debug'] as const)('has its stack at the level %s', (level) => {
    const { err } = logged((logger) => logger[level]({ err: new TypeError('no such function') }, 'failed'));
    expect(err.stack).toContain('logger.spec.ts');
  });

  it('has no stack at any level where the condition was foreseen', () => {
    let full: unknown;
    try {
      readFileSync('/no/such/file');
    } catch (error) {
      full = error;
    }
    for (const error of [away, full]) {
      expect(logged((logger) => logger.error({ err: error }, 'failed')).err).not.toHaveProperty('stack');
    }
    expect(logged((logger) => logger.error({ err: away }, 'failed')).err.message).toBe(
      'The store cannot be reached.: ECONNREFUSED',
    );
  });
});
