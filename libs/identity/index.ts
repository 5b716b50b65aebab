export { maySeeOperation } from './principal.ts';
export type { Principal, Role } from './principal.ts';
