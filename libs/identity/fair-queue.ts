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
    if (line === undefined) this.sources.set(source, (line = new Map()));
    const tasks = line.get(subject);
    if (tasks === undefined) line.set(subject, [task]);
    else tasks.push(task);
    this.waiting += 1;
  }

  /** Hands a free place to the next source in turn. */
  private next(): void {
    const [source, line] = first(this.sources);
    const [subject, tasks] = first(line);
    const task = tasks?.shift();
    if (
      source === undefined ||
      line === undefined ||
      subject === undefined ||
      tasks === undefined ||
      task === undefined
    ) {
      this.running -= 1;
      return;
    }
    this.waiting -= 1;
    line.delete(subject);
    if (tasks.length > 0) line.set(subject, tasks);
    this.sources.delete(source);
    if (line.size > 0) this.sources.set(source, line);
    task.start();
  }

  private dropOne(): void {
    const [source, line] = longest(this.sources, (candidate) => sizeOf(candidate));
    const [subject, tasks] = longest(line, (candidate) => candidate.length);
    const task = tasks.pop();
    if (tasks.length === 0) line.delete(subject);
    if (line.size === 0) this.sources.delete(source);
    this.waiting -= 1;
    task?.drop();
  }
}

function first<V>(map: ReadonlyMap<string, V> | undefined): [string, V] | [undefined, undefined] {
  for (const entry of map ?? []) return entry;
  return [undefined, undefined];
}

/** The last one of those with the most: of equals, the one that came last. */
function longest<V>(map: ReadonlyMap<string, V>, length: (value: V) => number): [string, V] {
  let found: [string, V] | undefined;
  for (const entry of map) if (found === undefined || length(entry[1]) >= length(found[1])) found = entry;
  if (found === undefined) throw new Error('an empty queue has nothing to drop');
  return found;
}

function sizeOf(line: Line): number {
  let size = 0;
  for (const tasks of line.values()) size += tasks.length;
  return size;
}
