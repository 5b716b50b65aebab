/** An attribute at a moment, according to the log; undefined if the event that set it is archived. */
export type PastValue = { readonly value: unknown } | undefined;

/** An event about a thing, as far as its past is read from it. */
export interface PastEvent {
  readonly seq: number;
  readonly type: string;
  readonly at: Date;
  readonly data: Readonly<Record<string, unknown>>;
}

const CREATED = /\.created\.v\d+$/;
const DELETED = /\.deleted\.v\d+$/;

/**
 * A credential or an operation as it was at a moment: what it is now, with the changes since then undone. So the past
 * needs only the events after that moment, and for what is deleted or was changed by version 0.1.0 also those before.
 */
export class PastState {
  private readonly before: readonly PastEvent[];
  private readonly after: readonly PastEvent[];

  /** @param current undefined when it does not exist any more @param events of it, in any order */
  constructor(
    private readonly current: (Readonly<Record<string, unknown>> & { readonly createdAt: Date }) | undefined,
    events: readonly PastEvent[],
    private readonly at: Date,
  ) {
    const ordered = [...events].sort((a, b) => a.seq - b.seq);
    this.before = ordered.filter((event) => event.at <= at);
    this.after = ordered.filter((event) => event.at > at);
  }

  /** Whether it existed then. What was created before the log begins existed at every moment that the log covers. */
  get exists(): boolean {
    if (this.before.some(({ type }) => DELETED.test(type))) return false;
    if (this.current !== undefined) return this.current.createdAt <= this.at;
    return !this.after.some(({ type }) => CREATED.test(type));
  }

  /** When it was deleted after that moment; null when it still exists. */
  get deletedAt(): Date | null {
    return this.after.find(({ type }) => DELETED.test(type))?.at ?? null;
  }

  /** A member of the event of its deletion. */
  ofDeletion(name: string): unknown {
    return this.after.find(({ type }) => DELETED.test(type))?.data[name];
  }

  /** The events up to that moment that set the member, the last one being in force. */
  settingEvents(name: string): readonly PastEvent[] {
    return this.before.filter((event) => sets(event, name));
  }

  /** The events since that set the member. */
  laterEvents(name: string): readonly PastEvent[] {
    return this.after.filter((event) => sets(event, name));
  }

  valueOf(name: string): PastValue {
    for (const { data } of this.after) {
      const undone = partOf(data, 'before')[name];
      if (undone !== undefined) return { value: undone };
      // events of version 0.1.0 do not contain the values before
      if (partOf(data, 'changed')[name] !== undefined) return this.lastSet(name);
    }
    const now = this.current?.[name];
    return now === undefined ? this.lastSet(name) : { value: now };
  }

  private lastSet(name: string): PastValue {
    for (const { type, data } of this.before.toReversed()) {
      const set = CREATED.test(type) ? data[name] : (partOf(data, 'after')[name] ?? partOf(data, 'changed')[name]);
      if (set !== undefined) return { value: set };
    }
    return undefined;
  }
}

function sets({ type, data }: PastEvent, name: string): boolean {
  const set = CREATED.test(type) ? data : { ...partOf(data, 'changed'), ...partOf(data, 'after') };
  return set[name] !== undefined;
}

function partOf(data: PastEvent['data'], name: 'before' | 'after' | 'changed'): Readonly<Record<string, unknown>> {
  return (data[name] ?? {}) as Readonly<Record<string, unknown>>;
}
