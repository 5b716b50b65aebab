export { Reconciliation } from './reconciliation.ts';
export { RecoveryModule } from './recovery.module.ts';
export { ChainRepair } from './repair/chain-repair.ts';
export { RepairModule } from './repair/repair.module.ts';
export { RestoreCheck, isSound } from './restore-check.ts';
export { RestoreGuard } from './restore-guard.ts';
export type { ReconciliationStep } from './reconciliation.ts';
