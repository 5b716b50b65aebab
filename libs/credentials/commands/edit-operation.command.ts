import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { OperationRepository, operationView } from '#catalogue';
import type { OperationChanges, OperationView } from '#catalogue';
import { UnitOfWork } from '#events';
import { DomainError, checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { newViolations } from '../domain/credential-policy.ts';
import type { PolicyViolation } from '../domain/credential-policy.ts';
import { CredentialRepository } from '../persistence/credential.repository.ts';

/** Changes an operation. New rules are checked against its credentials, so the command belongs to this lib. */
export class EditOperationCommand extends Command<OperationView> {
  constructor(
    readonly context: CallContext,
    readonly operationId: string,
    readonly expected: ExpectedVersion,
    readonly changes: OperationChanges,
    /** Whether a new rule is for what is written from now on only; existing credentials may break it. */
    readonly newOnly: boolean,
  ) {
    super();
  }
}

@CommandHandler(EditOperationCommand)
export class EditOperationHandler implements ICommandHandler<EditOperationCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly operations: OperationRepository,
    private readonly credentials: CredentialRepository,
  ) {}

  execute({ context, operationId, expected, changes, newOnly }: EditOperationCommand): Promise<OperationView> {
    // credentials are made on the same chain, so none comes in between
    return this.unitOfWork.run(context, { chains: [operationId], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const operation = await this.operations.load(operationId, session);
      checkVersion(operation.state.version, expected);
      const credentials = await this.credentials.ofOperation(operationId, session);
      const states = credentials.map(({ state }) => state);
      const violations = newViolations(operation.state, operation.editedBy(changes), states, at);
      if (violations.length > 0 && !newOnly) throw policyViolated(violations);
      const toleratedCredentialIds = [...new Set(violations.map(({ credentialId }) => credentialId))];
      if (operation.edit(changes, at, { newOnly, toleratedCredentialIds })) {
        await this.operations.save(operation, session);
        for (const credential of credentials) {
          if (credential.follow(operation.state, { at, newOnly })) await this.credentials.save(credential, session);
        }
      }
      transaction.publish(operation);
      return operationView(operation.state);
    });
  }
}

function policyViolated(violations: readonly PolicyViolation[]): DomainError {
  return new DomainError(
    'policy-violated',
    'Existing credentials break the new rules, see `violations`. Change them first, or send enforce: "new" to apply the rules ' +
      'only to what is written from now on.',
    { extensions: { violations } },
  );
}
