import { CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import { OperationRepository } from '../persistence/operation.repository.ts';
import { operationView } from '../queries/operation.view.ts';
import type { OperationView } from '../queries/operation.view.ts';
import { EditOperationCommand } from './edit-operation.command.ts';

@CommandHandler(EditOperationCommand)
export class EditOperationHandler implements ICommandHandler<EditOperationCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly operations: OperationRepository,
  ) {}

  execute({ context, operationId, expected, changes }: EditOperationCommand): Promise<OperationView> {
    return this.unitOfWork.run(context, { chains: [operationId] }, async (transaction) => {
      const operation = await this.operations.load(operationId, transaction.session);
      checkVersion(operation.state.version, expected);
      if (operation.edit(changes, transaction.at)) await this.operations.save(operation, transaction.session);
      transaction.publish(operation);
      return operationView(operation.state);
    });
  }
}
