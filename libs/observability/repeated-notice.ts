/** How often a notice that did not change is repeated, in milliseconds. */
const REPEAT_MS = 30_000;

/** Passes a notice on when it changes, and every 30 seconds while it stays the same: for a cause that is found again and again. */
export class RepeatedNotice {
  private last: { readonly text: string; readonly atMs: number } | undefined;

  constructor(
    private readonly say: (text: string) => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  give(text: string): void {
    const atMs = this.nowMs();
    if (this.last !== undefined && this.last.text === text && atMs - this.last.atMs < REPEAT_MS) return;
    this.last = { text, atMs };
    this.say(text);
  }

  /** The cause is gone: the next notice is passed on, whatever it says. */
  clear(): void {
    this.last = undefined;
  }
}
