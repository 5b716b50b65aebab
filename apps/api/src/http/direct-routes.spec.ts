import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import { Body, Controller, Injectable, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AdminGuard } from './admin.guard.ts';
import { BlockedGuard } from './blocked.guard.ts';
import { Direct, sendJson, serveDirectRoutes } from './direct-routes.ts';
import { ProblemFilter } from './problem.filter.ts';
import { StrayQueryGuard } from './stray-query.guard.ts';

const calls: string[] = [];

/** A guard that says yes synchronously, later, or not at all. */
class Guard implements CanActivate {
  constructor(
    private readonly name: string,
    private readonly say: () => boolean | Promise<boolean> = () => true,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    calls.push(`${this.name} ${context.getClass().name}.${context.getHandler().name}`);
    return this.say();
  }
}

@Injectable()
class OwnGuard extends Guard {}

@Controller('base')
class Things {
  @Post('thing')
  @Direct()
  @UseGuards(OwnGuard)
  thing(@Req() _request: unknown, @Res() reply: Parameters<typeof sendJson>[0]): void {
    calls.push('handler');
    sendJson(reply, '{}');
  }

  @Post('other')
  other(): string {
    return 'by Nest';
  }
}

@Controller('base')
class WithBody {
  @Post('thing')
  @Direct()
  thing(@Body() _body: unknown): void {
    // never called
  }
}

interface Route {
  readonly url: string;
  handler: unknown;
}

/** Nest and Fastify, as far as a direct route sees them. */
function serve(own: Guard, blocked = new Guard('blocked'), controllers: readonly Type[] = [Things]): Route[] {
  calls.length = 0;
  const things = new Map<unknown, unknown>([
    [Things, new Things()],
    [WithBody, new WithBody()],
    [BlockedGuard, blocked],
    [AdminGuard, new Guard('admin')],
    [StrayQueryGuard, new Guard('query')],
    [OwnGuard, own],
    [ProblemFilter, { catch: (error: Error) => calls.push(`filter: ${error.message}`) }],
  ]);
  const routes: Route[] = [
    { url: '/base/thing', handler: 'of Nest' },
    { url: '/base/other', handler: 'of Nest' },
  ];
  const addHook = (_name: string, hook: (route: Route) => void): void => routes.forEach(hook);
  const app = {
    get: (type: unknown) => things.get(type),
    getHttpAdapter: () => ({ getInstance: () => ({ addHook }) }),
  };
  serveDirectRoutes(app as unknown as NestFastifyApplication, controllers);
  return routes;
}

async function call([route]: readonly Route[]): Promise<string[]> {
  const reply = { code: (status: number) => calls.push(`status ${status}`), header: () => reply, send: () => reply };
  await (route?.handler as (request: unknown, answer: unknown) => unknown)({}, reply);
  return calls;
}

const GLOBAL = ['blocked Things.thing', 'admin Things.thing', 'query Things.thing'];

describe('a direct route', () => {
  it('calls the global guards, its own and the handler, synchronously', () => {
    const routes = serve(new Guard('own'));
    void call(routes);
    expect(calls).toEqual([...GLOBAL, 'own Things.thing', 'status 200', 'handler']);
  });

  it('waits for a guard that answers later', async () => {
    expect(await call(serve(new Guard('own', () => Promise.resolve(true))))).toEqual([
      ...GLOBAL,
      'own Things.thing',
      'status 200',
      'handler',
    ]);
  });

  it.each([
    ['throws', () => fail('no')],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('gives the error to the filter when a guard %s, and calls nothing after it', async (_how, say) => {
    expect(await call(serve(new Guard('own'), new Guard('blocked', say)))).toEqual([GLOBAL[0], 'filter: no']);
  });

  it.each([
    ['says no', () => false],
    ['says no later', () => Promise.resolve(false)],
  ])('is closed when a guard %s', async (_how, say) => {
    const [, refusal] = await call(serve(new Guard('own'), new Guard('blocked', say)));
    expect(refusal).toMatch(/^filter: /);
    expect(calls).toHaveLength(2);
  });

  it('leaves all other routes to Nest', () => {
    expect(serve(new Guard('own')).at(1)?.handler).toBe('of Nest');
  });

  it('may not expect anything but the request and the reply', () => {
    expect(() => serve(new Guard('own'), new Guard('blocked'), [WithBody])).toThrow('WithBody.thing');
  });
});

function fail(message: string): never {
  throw new Error(message);
}
