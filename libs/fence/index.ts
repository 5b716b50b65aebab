export { FenceModule } from './fence.module.ts';
export { CHAIN_HEADS, FenceSource, PLATFORM_SCOPE, StoreFenceSource } from './fence-source.ts';
export { Fence } from './fence.ts';
export { findAfter } from './fenced-find.ts';
export { LEASE_CEILING_MS, LeasedReader, leaseRunOut } from './leased-reader.ts';
export type { RightsReading } from './fence-source.ts';
export type { FencedState } from './fenced-state.ts';
export type { RightsVersion } from './rights.ts';
