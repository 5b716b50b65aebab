import type { FastifyInstance } from 'fastify';

/** Asked by machines that wait for the answer, or by the orchestrator, which ends an instance that answers too late. */
const FIRST = /^\/(?:oauth2\/|livez|readyz)/;

/**
 * Lets one request begin in each turn of the event loop. A thousand of them that arrive together, as guesses do, would
 * otherwise be worked on in one turn, and keep all others waiting. Questions about tokens go first.
 */
class RequestTurns {
  private readonly waiting: (() => void)[] = [];
  private isTaken = false;

  /** Calls `begin` immediately where this turn is free, otherwise in its order in a later one. */
  next(begin: () => void): void {
    if (this.isTaken) {
      this.waiting.push(begin);
      return;
    }
    this.isTaken = true;
    setImmediate(this.turn);
    begin();
  }

  private readonly turn = (): void => {
    const begin = this.waiting.shift();
    this.isTaken = begin !== undefined;
    if (begin === undefined) return;
    setImmediate(this.turn);
    begin();
  };
}

/** Adds it to the server, before all other hooks. */
export function addRequestTurns(instance: FastifyInstance): void {
  const turns = new RequestTurns();
  instance.addHook('onRequest', (request, _reply, done) => {
    if (FIRST.test(request.url)) done();
    else turns.next(done);
  });
}
