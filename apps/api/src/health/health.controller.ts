import { Controller, Get, Header, HttpCode, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { JobQueues } from '#events';
import { FirstAdmin } from '#identity';
import { MongoStore, bounded } from '#mongo';
import { Metrics } from '#observability';
import { Public } from '../http/access.ts';
import { Draining } from '../http/draining.ts';

const livez = z.object({ status: z.literal('ok') });
const readyz = z.object({
  status: z.enum(['ok', 'degraded', 'unavailable']),
  mongodb: z.enum(['up', 'down']),
  redis: z.enum(['up', 'down']),
});

/** How long a store may take to show a sign of life, in milliseconds. */
const SIGN_OF_LIFE_MS = 1_000;

@ApiTags('Health')
@Controller()
@Public()
export class HealthController {
  constructor(
    private readonly store: MongoStore,
    private readonly firstAdmin: FirstAdmin,
    private readonly jobQueues: JobQueues,
    private readonly metrics: Metrics,
    private readonly draining: Draining,
  ) {}

  @Get('livez')
  @ApiOperation({
    summary: 'Is the process alive?',
    description: 'Touches no store: a store that is away is no reason to restart the service.',
  })
  @ApiOkResponse({ description: 'Alive.', standardSchema: livez })
  livez(): z.output<typeof livez> {
    return { status: 'ok' };
  }

  @Get('readyz')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Can it serve?',
    description:
      '503 while MongoDB cannot serve or the instance is shutting down; `degraded` while only Redis is away.',
  })
  @ApiOkResponse({ description: 'Ready, perhaps degraded.', standardSchema: readyz })
  @ApiServiceUnavailableResponse({ description: 'Not ready.', standardSchema: readyz })
  async readyz(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.output<typeof readyz>> {
    const [mongodb, redis] = await Promise.all([this.mongodbState(), this.redisState()]);
    if (mongodb === 'down' || this.draining.begun) {
      reply.code(503);
      return { status: 'unavailable', mongodb, redis };
    }
    return { status: redis === 'up' ? 'ok' : 'degraded', mongodb, redis };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Prometheus metrics', description: 'Counts without ids, addresses or secrets.' })
  @ApiOkResponse({ description: 'Prometheus text format.', content: { 'text/plain': { schema: { type: 'string' } } } })
  async prometheus(): Promise<string> {
    return this.metrics.registry.metrics();
  }

  private async mongodbState(): Promise<'up' | 'down'> {
    if (!this.store.ready || !this.firstAdmin.settled) return 'down';
    try {
      await bounded(this.store.ping(), SIGN_OF_LIFE_MS);
      return 'up';
    } catch {
      return 'down';
    }
  }

  private async redisState(): Promise<'up' | 'down'> {
    return (await this.jobQueues.reachable(SIGN_OF_LIFE_MS)) ? 'up' : 'down';
  }
}
