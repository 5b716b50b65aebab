/** A pause that can be ended early. Only one may run at a time. */
export class EndablePause {
  private finish: (() => void) | undefined;

  /**
   * Waits until the time is up or `end` is called.
   *
   * @param ms the duration, in milliseconds
   * @param options `unref`: whether the process may exit meanwhile
   */
  async wait(ms: number, { unref = false }: { readonly unref?: boolean } = {}): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (unref) timer.unref();
      this.finish = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.finish = undefined;
  }

  /** Ends the pause that is running, if any. */
  end(): void {
    this.finish?.();
  }
}
