import { levels, pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import type { LoggerService } from '@nestjs/common';
import { DomainError } from '#kernel';

/** The service's logger: one JSON object per line on standard output, whatever a value holds. */
export type Logger = PinoLogger;

/** Injection token of the `Logger`. */
export const LOGGER = Symbol('Logger');

const { info: INFO = 30, error: ERROR = 50 } = levels.values;
/** Causes that are named: enough for a driver's error inside of a library's inside of ours. */
const MAX_CAUSES = 4;

/**
 * Makes the logger.
 *
 * @param level a pino level, or `silent`
 * @param destination standard output unless told otherwise
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
      // warnings are about what was foreseen, such as a store that is away: where in the code it was noticed helps nobody
      logMethod(args: Parameters<Logger['info']>, method: Logger['info'], severity: number): void {
        const [bound] = args as [unknown];
        if (severity >= INFO && severity < ERROR && hasError(bound))
          args[0] = { ...bound, err: new Foreseen(bound.err) };
        method.apply(this as unknown as Logger, args);
      },
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** An error that is logged as a sentence. */
class Foreseen {
  constructor(readonly error: unknown) {}
}

function hasError(bound: unknown): bound is { readonly err: unknown } {
  return typeof bound === 'object' && bound !== null && 'err' in bound;
}

/** Only what is known to be safe of an error: its class, messages, code and, where nobody foresaw it, its stack; never its other members. */
function describeError(logged: unknown): Record<string, unknown> {
  const error = logged instanceof Foreseen ? logged.error : logged;
  if (!(error instanceof Error)) return { type: typeof error };
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined;
  // a full disk or a file that is not there is no fault of the code either
  const isForeseen = logged instanceof Foreseen || error instanceof DomainError || 'syscall' in error;
  return { type: error.name, message: messagesOf(error), code, stack: isForeseen ? undefined : error.stack };
}

function messagesOf(error: Error): string {
  const messages = [error.message];
  for (let { cause } = error; cause instanceof Error && messages.length <= MAX_CAUSES; { cause } = cause) {
    if (!messages.includes(cause.message)) messages.push(cause.message);
  }
  return messages.join(': ');
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
