export { ApiWithdrawalModule } from './api-withdrawal.module.ts';
export { ContinueApiRemovalsCommand } from './continue-api-removals.command.ts';
export { EditOperationApisCommand } from './edit-operation-apis.command.ts';
export { RemoveApiCommand } from './remove-api.command.ts';
