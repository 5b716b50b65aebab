/**
 * A refusal of a caller, not a fault in the code. It has no stack trace: capturing one costs more than the rest of the
 * refusal, and somebody who guesses secrets causes thousands per second.
 */
export abstract class Refusal extends Error {
  constructor(message: string) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
