/** The object that a resurrection is or belongs to. Its end is one transaction. */
export type Owner =
  | { readonly type: 'credential'; readonly id: string; readonly operationId: string }
  | { readonly type: 'resource-server'; readonly id: string }
  | { readonly type: 'user'; readonly id: string };

/** An object that is live in the store although a tombstone says that it ended. */
export interface Resurrection {
  /** `user-disabled`: a user who was disabled and is enabled in the store. */
  readonly kind: Owner['type'] | 'secret' | 'token' | 'session' | 'api-key' | 'user-disabled';
  readonly id: string;
  readonly owner: Owner;
  /** When it ended. */
  readonly endedAt: Date;
}

/** When each of these secrets ended, by its id. */
export function endsOf(secrets: readonly Resurrection[]): ReadonlyMap<string, Date> {
  return new Map(secrets.map(({ id, endedAt }) => [id, endedAt]));
}

/** For the operator: what is live again. */
export function describe({ kind, id, endedAt }: Resurrection): string {
  const [what, ended] = kind === 'user-disabled' ? ['user', 'disabled'] : [kind, 'ended'];
  return `${what} ${id}, ${ended} at ${endedAt.toISOString()}`;
}
