/** How long one waits for its turn: it holds one of the driver's connections meanwhile, which others may need. */
const WAIT_MS = 20;
/** More than so many at a time do not wait at all, for the same reason. */
const MAX_WAITING = 4;

interface Line {
  readonly waiting: (() => void)[];
}

/**
 * Turns for transactions that want the same thing. Drivers start a transaction that met a write conflict anew, at once;
 * of many that do, all but one meet the next conflict, and each has done its work in vain. So those that come again
 * take turns before they begin: who has the turn meets no other, and who does not get it learns so without any work.
 */
export class Turns {
  readonly #lines = new Map<string, Line>();

  /**
   * Takes the turn for something, soon or not at all.
   * @param what it is taken for
   * @returns gives the turn on; null if too many wait, or it took too long
   */
  async take(what: string): Promise<(() => void) | null> {
    const line = this.#lines.get(what);
    if (!line) {
      this.#lines.set(what, { waiting: [] });
      return this.#once(what);
    }
    if (line.waiting.length >= MAX_WAITING) return null;
    return new Promise((resolve) => {
      const called = (): void => {
        clearTimeout(timer);
        resolve(this.#once(what));
      };
      const timer = setTimeout(() => {
        line.waiting.splice(line.waiting.indexOf(called), 1);
        resolve(null);
      }, WAIT_MS);
      line.waiting.push(called);
    });
  }

  #once(what: string): () => void {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = this.#lines.get(what)?.waiting.shift();
      if (next) next();
      else this.#lines.delete(what);
    };
  }
}
