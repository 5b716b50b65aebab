export { PLATFORM_CHAIN, chainName, operationOf } from './chain-name.ts';
export { ChainTurns } from './chain-turns.ts';
export { ChainVerifier } from './chain-verifier.ts';
export { chainEvents, emptyHead, eventLine } from './chain.ts';
export type { ChainName } from './chain-name.ts';
export type { ChainFault, ChainFaultReason } from './chain-verifier.ts';
export type { ChainHead, EventDraft, LogEvent, UnchainedEvent } from './chain.ts';
