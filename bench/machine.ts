import { readFileSync, readdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** Clock ticks per second in /proc; fixed at 100 for user space on every Linux. */
const TICKS_PER_SECOND = 100;

/** The fields of /proc/PID/stat from the state on; the name before it, in brackets, may contain anything. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** A process and all that descend from it. */
export function processTree(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(Number(entry), Number(statOf(Number(entry))[1]));
    } catch {
      // it has ended in the meantime
    }
  }
  const tree = [pid];
  for (const each of tree) for (const [child, parent] of parents) if (parent === each) tree.push(child);
  return tree;
}

/** CPU seconds, user and system, that a process and all that descend from it have used. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const each of processTree(pid)) {
    try {
      const fields = statOf(each);
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // it has ended in the meantime
    }
  }
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of one process in MB (10^6 bytes). */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return (Number(kilobytes ?? 0) * 1024) / 1e6;
}

/** CPU seconds that the whole machine has used since it was started. */
export function machineBusySeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softIrq) / TICKS_PER_SECOND;
}

/** The machine of the results, in one line. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${(totalmem() / 1e9).toFixed(0)} GB, Linux ${kernel}`;
}
