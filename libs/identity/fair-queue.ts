/** The queue is full: the work was not begun. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

interface Task {
  readonly start: () => void;
  readonly drop: () => void;
}

/** Tasks by their second key. A map keeps its order of insertion: who was served goes to its end. */
type Line = Map<string, Task[]>;

const NOBODY: Line = new Map<string, Task[]>();

/**
 * Runs a few pieces of work at a time. The others wait in a short queue that is fair by source, and within a source by subject: each
 * source has its turn, however many tasks another one brings. When the queue is full, the source with the most waiting tasks loses
 * its newest one.
 */
export class FairQueue {
  private readonly sources = new Map<string, Line>();
  private running = 0;
  private waiting = 0;

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /**
   * @param source who brings the work
   * @param subject what the work is about
   * @throws QueueFull
   */
  async run<T>(source: string, subject: string, work: () => Promise<T>): Promise<T> {
    if (this.running < this.maxRunning) this.running += 1;
    else await this.turn(source, subject);
    try {
      return await work();
    } finally {
      this.next();
    }
  }

  private turn(source: string, subject: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.add(source, subject, { start: resolve, drop: () => reject(new QueueFull('the queue is full')) });
      if (this.waiting > this.maxWaiting) this.dropOne();
    });
  }

  private add(source: string, subject: string, task: Task): void {
    let line = this.sources.get(source);
    if (line === undefined) this.sources.set(source, (line = new Map<string, Task[]>()));
    const tasks = line.get(subject);
    if (tasks === undefined) line.set(subject, [task]);
    else tasks.push(task);
    this.waiting += 1;
  }

  /** Hands a free place to the next source in turn. */
  private next(): void {
    const [source, line] = first(this.sources) ?? [];
    const [subject, tasks] = first(line ?? NOBODY) ?? [];
    const task = tasks?.shift();
    if (source === undefined || subject === undefined || task === undefined) {
      this.running -= 1;
      return;
    }
    this.waiting -= 1;
    toEnd(line, subject, tasks?.length === 0);
    toEnd(this.sources, source, line?.size === 0);
    task.start();
  }

  private dropOne(): void {
    const [source, line] = longest(this.sources, sizeOf);
    const [subject, tasks] = longest(line, (waiting) => waiting.length);
    const task = tasks.pop();
    if (tasks.length === 0) line.delete(subject);
    if (line.size === 0) this.sources.delete(source);
    this.waiting -= 1;
    task?.drop();
  }
}

function first<V>(map: ReadonlyMap<string, V>): [string, V] | undefined {
  for (const entry of map) return entry;
  return undefined;
}

/** Moves an entry behind all others, or removes it. */
function toEnd<V>(map: Map<string, V> | undefined, key: string, remove: boolean): void {
  const value = map?.get(key);
  map?.delete(key);
  if (value !== undefined && !remove) map?.set(key, value);
}

/** The last one of those with the most: of equals, the one that came last. */
function longest<V>(map: ReadonlyMap<string, V>, lengthOf: (value: V) => number): [string, V] {
  let found: [string, V] | undefined;
  for (const entry of map) if (found === undefined || lengthOf(entry[1]) >= lengthOf(found[1])) found = entry;
  if (found === undefined) throw new Error('an empty queue has nothing to drop');
  return found;
}

function sizeOf(line: Line): number {
  let size = 0;
  for (const tasks of line.values()) size += tasks.length;
  return size;
}
