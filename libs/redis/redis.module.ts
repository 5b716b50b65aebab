import { Global, Module } from '@nestjs/common';
import { RedisLink } from './redis-link.ts';
import { RedisNamespace } from './redis-namespace.ts';

@Global()
@Module({
  providers: [RedisLink, RedisNamespace],
  exports: [RedisLink, RedisNamespace],
})
export class RedisModule {}
