const REPEAT_MS = 30_000;

/** Limits a notice that recurs: reports it when its text changes, and an unchanged one every 30 seconds. */
export class RepeatedNotice {
  private last: { readonly text: string; readonly atMs: number } | undefined;

  constructor(
    private readonly onNotice: (text: string) => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  report(text: string): void {
    const atMs = this.nowMs();
    if (this.last !== undefined && this.last.text === text && atMs - this.last.atMs < REPEAT_MS) return;
    this.last = { text, atMs };
    this.onNotice(text);
  }

  /** Call when the cause is gone: the next notice is reported immediately. */
  clear(): void {
    this.last = undefined;
  }
}
