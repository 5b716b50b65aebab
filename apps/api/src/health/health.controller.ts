import { Controller, Get, Header, HttpCode, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Conditions, Metrics } from '#observability';
import { Public } from '../http/access.ts';
import { ServesAlways } from '../http/blocked.guard.ts';
import { Draining } from '../http/draining.ts';
import { StoreSigns } from './store-signs.ts';

const livez = z.object({ status: z.literal('ok') });
const readyz = z.object({
  status: z.enum(['ok', 'degraded', 'unavailable']),
  mongodb: z.enum(['up', 'down']),
  redis: z.enum(['up', 'down']),
  problems: z
    .array(
      z.object({
        code: z.string().meta({ example: 'log-inconsistent' }),
        detail: z.string().meta({ description: 'Says what is wrong and what to do.' }),
      }),
    )
    .meta({ description: 'Further problems that an operator must handle, the worst first.' }),
});

@ApiTags('Health')
@Controller()
@Public()
@ServesAlways()
export class HealthController {
  constructor(
    private readonly signs: StoreSigns,
    private readonly conditions: Conditions,
    private readonly metrics: Metrics,
    private readonly draining: Draining,
  ) {}

  @Get('livez')
  @ApiOperation({
    summary: 'Check that the process is alive',
    description: 'Does not depend on a store, because a restart does not help when a store is unavailable.',
  })
  @ApiOkResponse({ description: 'Alive.', standardSchema: livez })
  livez(): z.output<typeof livez> {
    return { status: 'ok' };
  }

  @Get('readyz')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Check that the instance can serve',
    description:
      '503 while MongoDB is unavailable, the instance is shutting down, or a problem blocks it (`restored-behind`). ' +
      '`degraded` while only Redis is unavailable, or a problem affects only some operations (`log-inconsistent`).',
  })
  @ApiOkResponse({ description: 'Ready, possibly degraded.', standardSchema: readyz })
  @ApiServiceUnavailableResponse({ description: 'Not ready.', standardSchema: readyz })
  async readyz(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.output<typeof readyz>> {
    const [mongodb, redis] = await Promise.all([this.signs.mongodb(), this.signs.redis()]);
    const problems = this.conditions.list().map(({ code, detail }) => ({ code, detail }));
    if (mongodb === 'down' || this.draining.hasBegun || this.conditions.blocking !== undefined) {
      reply.code(503);
      return { status: 'unavailable', mongodb, redis, problems };
    }
    return { status: redis === 'up' && problems.length === 0 ? 'ok' : 'degraded', mongodb, redis, problems };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Prometheus metrics', description: 'Counts without ids, addresses or secrets.' })
  @ApiOkResponse({ description: 'Prometheus text format.', content: { 'text/plain': { schema: { type: 'string' } } } })
  async prometheus(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
