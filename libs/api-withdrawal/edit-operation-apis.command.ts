import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import type { ClientSession } from 'mongoose';
import { ApiRepository, OperationRepository, operationApisView } from '#catalogue';
import type { OperationApisView } from '#catalogue';
import { CredentialRepository } from '#credentials';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';

/**
 * What to do to the APIs that credentials of the operation may be granted. `set: null` means every API of the
 * catalogue.
 */
export type OperationApisEdit =
  { readonly set: readonly string[] | null } | { readonly add: readonly string[]; readonly remove: readonly string[] };

/**
 * Changes what credentials of the operation may be granted. What is no longer among it is taken from each of them, with
 * an event each, and is in force on every instance when this is answered.
 */
export class EditOperationApisCommand extends Command<OperationApisView> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly expected: ExpectedVersion,
    readonly edit: OperationApisEdit,
  ) {
    super();
  }
}

@CommandHandler(EditOperationApisCommand)
export class EditOperationApisHandler implements ICommandHandler<EditOperationApisCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly operations: OperationRepository,
    private readonly apis: ApiRepository,
    private readonly credentials: CredentialRepository,
  ) {}

  execute({ context, operationId, expected, edit }: EditOperationApisCommand): Promise<OperationApisView> {
    // credentials are made and edited on the same chain, so none comes in between
    return this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const operation = await this.operations.load(operationId, session);
      checkVersion(operation.state.version, expected);
      await this.claim(edit, session);
      const changed =
        'set' in edit ? operation.entitle(edit.set, at) : operation.editEntitlement(edit.add, edit.remove, at);
      if (!changed) return operationApisView(operation.state);
      await this.operations.save(operation, session);
      transaction.publish(operation);
      for (const credential of await this.credentials.ofOperation(operationId, session)) {
        if (!credential.keepWithin(operation.state, { at, by: context.actor.id })) continue;
        await this.credentials.save(credential, session);
        transaction.publish(credential);
      }
      return operationApisView(operation.state);
    });
  }

  /** A key to remove need not be in the catalogue: the list outlives an API that is deleted. */
  private claim(edit: OperationApisEdit, session: ClientSession): Promise<void> {
    return 'set' in edit ? this.apis.claim(edit.set ?? [], session) : this.apis.claim(edit.add, session, 'add');
  }
}
