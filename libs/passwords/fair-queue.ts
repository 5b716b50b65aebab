/** The queue is full; the work was not started. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

interface Task {
  readonly start: () => void;
  readonly drop: () => void;
}

/** The source of a task, and its subject. */
export interface TaskSource {
  readonly source: string;
  readonly subject: string;
  /** How much this source has used, in any unit. Sources that used less come first. */
  readonly used: number;
}

/** The waiting tasks of one source. */
interface SourceQueue {
  used: number;
  /** Tasks by subject. A map keeps its insertion order: a served subject moves to the end. */
  readonly subjects: Map<string, Task[]>;
}

/**
 * Runs a few tasks at a time. The others wait in a short queue that is fair to each source, and within a source to each
 * subject: the source that used least is next, among equals the one that waited longest, however many tasks another one
 * adds. When the queue is full, the source that used most loses its newest task.
 */
export class FairQueue {
  private readonly sources = new Map<string, SourceQueue>();
  private running = 0;
  private waiting = 0;

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /** @throws QueueFull */
  async run<T>(source: TaskSource, work: () => Promise<T>): Promise<T> {
    if (this.running < this.maxRunning) this.running += 1;
    else await this.turn(source);
    try {
      return await work();
    } finally {
      this.next();
    }
  }

  private turn(source: TaskSource): Promise<void> {
    return new Promise((resolve, reject) => {
      this.add(source, { start: resolve, drop: () => reject(new QueueFull('the queue is full')) });
      if (this.waiting > this.maxWaiting) this.dropOne();
    });
  }

  private add({ source, subject, used }: TaskSource, task: Task): void {
    let line = this.sources.get(source);
    if (line === undefined) this.sources.set(source, (line = { used, subjects: new Map<string, Task[]>() }));
    line.used = used;
    const tasks = line.subjects.get(subject);
    if (tasks === undefined) line.subjects.set(subject, [task]);
    else tasks.push(task);
    this.waiting += 1;
  }

  /** Starts the next task in turn. */
  private next(): void {
    const [source, line] = firstLeast(this.sources, ({ used }) => used) ?? [];
    const [subject, tasks] = firstLeast(line?.subjects ?? NONE, () => 0) ?? [];
    const task = tasks?.shift();
    if (source === undefined || line === undefined || subject === undefined || task === undefined) {
      this.running -= 1;
      return;
    }
    this.waiting -= 1;
    toEnd(line.subjects, subject, tasks?.length === 0);
    toEnd(this.sources, source, line.subjects.size === 0);
    task.start();
  }

  private dropOne(): void {
    const [source, line] = lastMost(this.sources, ({ used }) => used);
    const [subject, tasks] = lastMost(line.subjects, (waiting) => waiting.length);
    const task = tasks.pop();
    if (tasks.length === 0) line.subjects.delete(subject);
    if (line.subjects.size === 0) this.sources.delete(source);
    this.waiting -= 1;
    task?.drop();
  }
}

const NONE: ReadonlyMap<string, Task[]> = new Map();

/** The first entry with the minimum: among equals, the one that waited longest. */
function firstLeast<V>(map: ReadonlyMap<string, V>, measure: (value: V) => number): [string, V] | undefined {
  let found: [string, V] | undefined;
  for (const entry of map) if (found === undefined || measure(entry[1]) < measure(found[1])) found = entry;
  return found;
}

/** Moves an entry behind all others, or removes it. */
function toEnd<V>(map: Map<string, V>, key: string, remove: boolean): void {
  const value = map.get(key);
  map.delete(key);
  if (value !== undefined && !remove) map.set(key, value);
}

/** The last entry with the maximum: among equals, the one that came last. */
function lastMost<V>(map: ReadonlyMap<string, V>, measure: (value: V) => number): [string, V] {
  let found: [string, V] | undefined;
  for (const entry of map) if (found === undefined || measure(entry[1]) >= measure(found[1])) found = entry;
  if (found === undefined) throw new Error('an empty queue has nothing to drop');
  return found;
}
