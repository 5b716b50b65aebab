interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const REAL = { setTimeout, clearTimeout, setImmediate, now: performance.now.bind(performance) };

/**
 * Time that passes only when nothing else is left to do: what takes ten seconds is over in a moment, and takes as long
 * on a busy machine as on an idle one. It stands in for the timers and `performance.now()` of this realm.
 */
export class VirtualTime {
  private nowMs = 0;
  private order = 0;
  private readonly timers = new Map<number, Timer>();

  install(): this {
    const later = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): unknown =>
      this.add(() => run(...args), ms);
    const soon = (run: (...args: unknown[]) => void, ...args: unknown[]): unknown => this.add(() => run(...args), 0);
    const clear = (timer: { readonly order: number } | undefined): void => {
      if (timer !== undefined) this.timers.delete(timer.order);
    };
    Object.assign(globalThis, { setTimeout: later, clearTimeout: clear, setImmediate: soon });
    performance.now = () => this.nowMs;
    return this;
  }

  uninstall(): void {
    const { now, ...timers } = REAL;
    Object.assign(globalThis, timers);
    performance.now = now;
  }

  /** Lets that much time pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (;;) {
      // a turn of the real event loop: all promises that are settled have gone on by then
      await new Promise<void>((resolve) => REAL.setImmediate(resolve));
      const next = this.next();
      if (next === undefined || next.atMs > untilMs) break;
      this.timers.delete(next.order);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = untilMs;
  }

  private next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers.values()) {
      if (first === undefined || timer.atMs < first.atMs) first = timer;
    }
    return first;
  }

  private add(run: () => void, ms: number): unknown {
    const timer = { atMs: this.nowMs + Math.max(0, ms), order: (this.order += 1), run };
    this.timers.set(timer.order, timer);
    return { order: timer.order, ref: () => undefined, unref: () => undefined };
  }
}
