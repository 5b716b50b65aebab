import type { FastifyInstance } from 'fastify';

/**
 * Lets one request of the admin API begin in each turn of the event loop. A thousand of them that arrive together, as
 * guesses do, would otherwise be worked on in one turn, and keep all others waiting: questions about tokens go first.
 */
class AdminTurns {
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
export function addAdminTurns(instance: FastifyInstance): void {
  const turns = new AdminTurns();
  instance.addHook('onRequest', (request, _reply, done) => {
    if (request.url.startsWith('/v1/')) turns.next(done);
    else done();
  });
}
