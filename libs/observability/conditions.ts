/** A state of this instance that an operator has to act on. Shown by `/readyz`. */
export interface Condition {
  /** In the form of an error code, such as `restored-behind`. */
  readonly code: string;
  /** `unavailable`: the instance must not get requests. `degraded`: it serves with limits. */
  readonly severity: 'unavailable' | 'degraded';
  /** Says what is wrong and what to do. Without ids, addresses and secrets. */
  readonly detail: string;
}

/** The conditions of this instance. Each part of the service sets and clears its own; `/readyz` lists them. */
export class Conditions {
  private readonly byCode = new Map<string, Condition>();

  set(condition: Condition): void {
    this.byCode.set(condition.code, condition);
  }

  clear(code: string): void {
    this.byCode.delete(code);
  }

  /** Lists all conditions, the blocking ones first. */
  list(): Condition[] {
    const all = [...this.byCode.values()];
    return [...all.filter(isUnavailable), ...all.filter((condition) => !isUnavailable(condition))];
  }

  /** The first condition because of which the instance must not get requests. */
  get blocking(): Condition | undefined {
    return this.list().find(isUnavailable);
  }
}

function isUnavailable({ severity }: Condition): boolean {
  return severity === 'unavailable';
}
