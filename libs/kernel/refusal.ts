/**
 * An error that is an everyday answer to a caller, not a fault of anybody's code. It has no stack: to make one takes longer than all the
 * rest of refusing, and whoever guesses secrets would have it made a thousand times a second.
 */
export abstract class Refusal extends Error {
  constructor(message: string) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
