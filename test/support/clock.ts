/** How an instance's own clock is wrong. */
export interface WrongClock {
  /** By so much, in milliseconds. */
  readonly byMs: number;
  /** Whether it is wrong from the start; each SIGUSR2 sets it right or wrong. */
  readonly fromStart?: boolean;
}

/** Variables of an instance whose process has a clock of its own: a module that is loaded before the service. */
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
