import { pino } from 'pino';
import type { Logger as PinoLogger } from 'pino';
import type { LoggerService } from '@nestjs/common';

/** The service's logger: one JSON object per line on standard output, whatever a value holds. */
export type Logger = PinoLogger;

/** Injection token of the `Logger`. */
export const LOGGER = Symbol('Logger');

/**
 * Makes the logger.
 *
 * @param level a pino level, or `silent`
 */
export function createLogger(level: string): Logger {
  return pino({
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ['*.password', '*.secret', '*.clientSecret', '*.authorization', 'password', 'secret'],
      censor: '[redacted]',
    },
    serializers: { err: describeError },
  });
}

/** Only what is known to be safe of an error: its class, message, code and stack; never its other members. */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined;
  return { type: error.name, message: error.message, code, stack: error.stack };
}

/** Nest's own messages through the same logger, below info since they tell an operator little. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: unknown): void {
    this.logger.debug({ context: String(context) }, String(message));
  }
  error(message: unknown, stack?: unknown, context?: unknown): void {
    this.logger.error(
      { context: String(context), stack: typeof stack === 'string' ? stack : undefined },
      String(message),
    );
  }
  warn(message: unknown, context?: unknown): void {
    this.logger.warn({ context: String(context) }, String(message));
  }
  debug(message: unknown, context?: unknown): void {
    this.logger.debug({ context: String(context) }, String(message));
  }
  verbose(message: unknown, context?: unknown): void {
    this.logger.trace({ context: String(context) }, String(message));
  }
}
