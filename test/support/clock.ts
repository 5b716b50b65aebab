/** The error of an instance's own clock. */
export interface WrongClock {
  /** Offset in milliseconds. */
  readonly byMs: number;
  /** Whether it is wrong from the start; each SIGUSR2 sets it right or wrong. */
  readonly fromStart?: boolean;
}

/** Variables that give a process its own clock: a module that is loaded before the service. */
export function wrongClock({ byMs, fromStart = true }: WrongClock): Record<string, string> {
  const module = `
    const Real = Date;
    let off = ${fromStart ? byMs : 0};
    globalThis.Date = class Date extends Real {
      constructor(...given) { if (given.length === 0) super(Real.now() + off); else super(...given); }
      static now() { return Real.now() + off; }
    };
    process.on('SIGUSR2', () => (off = off === 0 ? ${byMs} : 0));`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(module)}` };
}
