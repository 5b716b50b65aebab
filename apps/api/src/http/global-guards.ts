import { AdminGuard } from './admin.guard.ts';
import { BlockedGuard } from './blocked.guard.ts';
import { StrayQueryGuard } from './stray-query.guard.ts';

/** The guards of every route, in their order. */
export const GLOBAL_GUARDS = [BlockedGuard, AdminGuard, StrayQueryGuard] as const;
