/** Something about this instance that an operator has to act on, as `/readyz` shows it. */
export interface Condition {
  /** As an error code: `restored-behind`. */
  readonly code: string;
  /** `unavailable`: the instance must get no requests. `degraded`: it serves, with less. */
  readonly severity: 'unavailable' | 'degraded';
  /** What is wrong and what to do; no ids, no addresses, no secrets. */
  readonly detail: string;
}

/** The conditions of this instance. Parts of the service set and clear theirs; `/readyz` lists them. */
export class Conditions {
  private readonly byCode = new Map<string, Condition>();

  set(condition: Condition): void {
    this.byCode.set(condition.code, condition);
  }

  clear(code: string): void {
    this.byCode.delete(code);
  }

  /** The worst first. */
  list(): Condition[] {
    const all = [...this.byCode.values()];
    return [...all.filter(isUnavailable), ...all.filter((condition) => !isUnavailable(condition))];
  }

  /** The first condition for which the instance must get no requests. */
  get blocking(): Condition | undefined {
    return this.list().find(isUnavailable);
  }
}

function isUnavailable({ severity }: Condition): boolean {
  return severity === 'unavailable';
}
