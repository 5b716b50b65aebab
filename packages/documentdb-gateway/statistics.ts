import type { Document } from 'bson';

/** Counts what the gateway does, for `serverStatus`, in the places where mongod has it. */
export class Statistics {
  readonly #commands = new Map<string, number>();
  #bytesOut = 0;

  ran(command: string): void {
    this.#commands.set(command, (this.#commands.get(command) ?? 0) + 1);
  }

  sent(bytes: number): void {
    this.#bytesOut += bytes;
  }

  report(): Document {
    const commands = Object.fromEntries([...this.#commands].map(([name, total]) => [name, { total }]));
    return { metrics: { commands }, network: { bytesOut: this.#bytesOut } };
  }
}
