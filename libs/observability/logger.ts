import { levels, pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import type { LoggerService } from '@nestjs/common';
import { DomainError } from '#kernel';

/** The service's logger. Writes one JSON object per line to standard output. */
export type Logger = PinoLogger;

/** Injection token of the `Logger`. */
export const LOGGER = Symbol('Logger');

const { info: INFO = 30, error: ERROR = 50 } = levels.values;
/** The maximum number of logged causes: enough for a driver error inside a library error inside a service error. */
const MAX_CAUSES = 4;

/**
 * @param level a pino level, or `silent`
 * @param destination default: standard output
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['*.password', '*.secret', '*.clientSecret', '*.authorization', 'password', 'secret'],
      censor: '[redacted]',
    },
    serializers: { err: describeError },
    hooks: {
      // info and warnings report expected errors, such as an unavailable store, for which a stack trace is useless
      logMethod(args: Parameters<Logger['info']>, method: Logger['info'], severity: number): void {
        const [bound] = args as [unknown];
        if (severity >= INFO && severity < ERROR && hasError(bound))
          args[0] = { ...bound, err: new ExpectedError(bound.err) };
        method.apply(this as unknown as Logger, args);
      },
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** An error to log without its stack trace. */
class ExpectedError {
  constructor(readonly error: unknown) {}
}

function hasError(bound: unknown): bound is { readonly err: unknown } {
  return typeof bound === 'object' && bound !== null && 'err' in bound;
}

/**
 * Logs only class, messages and code of an error, and the stack of an unexpected one. Other members could hold secrets.
 */
function describeError(logged: unknown): Record<string, unknown> {
  const error = logged instanceof ExpectedError ? logged.error : logged;
  if (!(error instanceof Error)) return { type: typeof error };
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined;
  // system errors, such as a full disk or a missing file, are not faults of the code
  const isExpected = logged instanceof ExpectedError || error instanceof DomainError || 'syscall' in error;
  return { type: error.name, message: messagesOf(error), code, stack: isExpected ? undefined : error.stack };
}

function messagesOf(error: Error): string {
  const messages = [error.message];
  for (let { cause } = error; cause instanceof Error && messages.length <= MAX_CAUSES; { cause } = cause) {
    if (!messages.includes(cause.message)) messages.push(cause.message);
  }
  return messages.join(': ');
}

/** Writes Nest's own messages to the same logger, below level info because they rarely help an operator. */
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
