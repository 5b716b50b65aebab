export { BoundedCalls, QueueUnavailable } from './bounded-calls.ts';
export { RedisLink } from './redis-link.ts';
export { RedisModule } from './redis.module.ts';
export { RedisNamespace } from './redis-namespace.ts';
export { connectRedis } from './connect-redis.ts';
