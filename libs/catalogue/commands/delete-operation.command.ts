import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { OperationRepository } from '../persistence/operation.repository.ts';

export class DeleteOperationCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly expected: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(DeleteOperationCommand)
export class DeleteOperationHandler implements ICommandHandler<DeleteOperationCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly operations: OperationRepository,
  ) {}

  async execute({ context, operationId, expected }: DeleteOperationCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [operationId] }, async (transaction) => {
      const operation = await this.operations.load(operationId, transaction.session);
      checkVersion(operation.state.version, expected);
      operation.delete();
      await this.operations.delete(operation, transaction.session);
      transaction.publish(operation);
    });
  }
}
