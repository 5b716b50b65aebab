import type { CredentialReader } from '#credentials';
import type { Transaction } from '#events';
import type { DryRunObserver } from '#kernel';
import type { TokenRepository } from '#tokens';
import type { ObservedChange } from './observed-change.ts';

/** One dry run. It reads what the change does while its transaction is open. */
export class DryRun implements DryRunObserver {
  private change: ObservedChange | undefined;

  constructor(
    private readonly credentials: CredentialReader,
    private readonly tokens: TokenRepository,
  ) {}

  /** @throws Error if no unit of work has shown its change */
  get observed(): ObservedChange {
    if (this.change === undefined) throw new Error('no change was observed');
    return this.change;
  }

  async observe(transaction: unknown): Promise<void> {
    const { session, pending, at } = transaction as Transaction;
    const subjects = (type: string): string[] => [
      ...new Set(pending.filter(({ subject }) => subject.type === type).map(({ subject }) => subject.id)),
    ];
    const concerned = { ids: subjects('credential'), operationIds: subjects('operation') };
    // outside of the transaction: the writes of this one keep others from changing these credentials meanwhile
    const before = await this.credentials.within(null, concerned);
    const ids = before.map(({ id }) => id);
    const live = await this.tokens.liveOf(ids, at);
    const after = new Map(
      (await this.credentials.within(session, { ids, operationIds: [] })).map((one) => [one.id, one]),
    );
    const left = new Set((await this.tokens.liveOf(ids, at, session)).map(({ id }) => id));
    this.change = {
      events: [...pending],
      at,
      credentials: before.map((credential) => ({ before: credential, after: after.get(credential.id) })),
      tokens: live.map((token) => ({ token, isEnded: !left.has(token.id) })),
    };
  }
}
