import { Command, CommandBus, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { RevokeResourceServerSecretCommand } from '#catalogue';
import { EndTokensCommand, RevokeSecretCommand } from '#credentials';
import { DeleteApiKeyCommand, EndSessionsCommand, coversOperation, visibleOperations } from '#identity';
import type { Principal } from '#identity';
import { DomainError, kindOfSecret } from '#kernel';
import type { CallContext, Role } from '#kernel';
import { leakReport } from '../domain/leak.ts';
import type { FoundLeak, LeakKind, LeakReport } from '../domain/leak.ts';
import { LeakFinder } from '../leak-finder.ts';

const MANAGERS: readonly Role[] = ['platform-admin', 'operation-admin'];

const KIND_OF: Readonly<Record<NonNullable<ReturnType<typeof kindOfSecret>>, LeakKind>> = {
  'access-token': 'access-token',
  client: 'client-secret',
  'resource-server': 'resource-server-secret',
  'api-key': 'api-key',
  session: 'session-cookie',
};

/**
 * Identifies a text, and with `revoke` ends it: no instance accepts it when this is answered. A caller who may not see
 * its operation gets the same answer as for a text that was never issued.
 */
export class ReportLeakCommand extends Command<LeakReport> {
  constructor(
    readonly context: CallContext,
    readonly principal: Principal,
    /** Never stored, logged or passed on. */
    readonly text: string,
    readonly revoke: boolean,
  ) {
    super();
  }
}

@CommandHandler(ReportLeakCommand)
export class ReportLeakHandler implements ICommandHandler<ReportLeakCommand> {
  constructor(
    private readonly finder: LeakFinder,
    private readonly commands: CommandBus,
  ) {}

  /** @throws DomainError `forbidden` if `revoke` is set and the caller may not end it; `store-unavailable` */
  async execute({ context, principal, text, revoke }: ReportLeakCommand): Promise<LeakReport> {
    if (revoke && !principal.roles.some((role) => MANAGERS.includes(role))) throw mayNotRevoke();
    const form = kindOfSecret(text);
    const kind = form === undefined ? 'none' : KIND_OF[form];
    const found = await this.finder.find(text, kind);
    if (found === undefined || !isVisible(principal, found)) return leakReport(kind, undefined, false);
    if (!revoke || !found.live) return leakReport(kind, found, false);
    if (!mayEnd(principal, found)) throw mayNotRevoke();
    const isEnded = await this.end(context, kind, found);
    return leakReport(kind, { ...found, live: false }, isEnded);
  }

  /** @returns false if it was ended by another request at the same time */
  private async end(context: CallContext, kind: LeakKind, { id, belongsTo }: FoundLeak): Promise<boolean> {
    const command = id === null ? undefined : commandFor(context, kind, { ...belongsTo, leakedId: id });
    if (command === undefined) return false;
    try {
      await this.commands.execute(command);
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'not-found') return false;
      throw error;
    }
  }
}

interface Target {
  /** Id of the credential, resource server or user. */
  readonly id: string;
  readonly operationId: string | null;
  readonly leakedId: string;
}

function commandFor(
  context: CallContext,
  kind: LeakKind,
  { id, operationId, leakedId }: Target,
): Command<void> | undefined {
  if (operationId !== null) {
    return kind === 'access-token'
      ? new EndTokensCommand(context, operationId, id, leakedId, 'compromised')
      : new RevokeSecretCommand(context, operationId, id, leakedId);
  }
  if (kind === 'resource-server-secret') return new RevokeResourceServerSecretCommand(context, id, leakedId);
  if (kind === 'api-key') return new DeleteApiKeyCommand(context, id, leakedId, undefined, { leaked: true });
  return kind === 'session-cookie' ? new EndSessionsCommand(context, id, leakedId, 'leaked') : undefined;
}

/** Only callers who see all operations see what belongs to no operation. */
function isVisible(principal: Principal, { belongsTo: { operationId } }: FoundLeak): boolean {
  const visible = visibleOperations(principal);
  return visible === undefined || (operationId !== null && visible.includes(operationId));
}

function mayEnd(principal: Principal, { belongsTo: { operationId } }: FoundLeak): boolean {
  if (operationId === null) return principal.roles.includes('platform-admin');
  return coversOperation(principal, MANAGERS, operationId);
}

function mayNotRevoke(): DomainError {
  return new DomainError(
    'forbidden',
    'Your roles do not allow you to end it. Send it without `revoke`, and ask a platform-admin or an operation-admin of ' +
      'its operation.',
  );
}
