import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import type { CallContext } from '#kernel';
import { Operation } from '../domain/operation.ts';
import { OperationRepository } from '../persistence/operation.repository.ts';
import { operationView } from '../queries/operation.view.ts';
import type { OperationView } from '../queries/operation.view.ts';

export class CreateOperationCommand extends Command<OperationView> {
  constructor(
    readonly context: CallContext,
    readonly name: string,
    readonly requireAllowedIps: boolean,
  ) {
    super();
  }
}

@CommandHandler(CreateOperationCommand)
export class CreateOperationHandler implements ICommandHandler<CreateOperationCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly operations: OperationRepository,
  ) {}

  execute({ context, name, requireAllowedIps }: CreateOperationCommand): Promise<OperationView> {
    return this.unitOfWork.run(context, { chains: [] }, async (transaction) => {
      const operation = Operation.create(name, requireAllowedIps, transaction.at);
      await this.operations.insert(operation, transaction.session);
      transaction.publish(operation);
      const view = operationView(operation.state);
      transaction.remember(view);
      return view;
    });
  }
}
