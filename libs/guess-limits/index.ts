export { GuessLimitsModule } from './guess-limits.module.ts';
export { sourceOf } from './guess-counters.ts';
export { GuessLimiter } from './guess-limiter.ts';
