import { SetMetadata } from '@nestjs/common';
import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import { GUARDS_METADATA, HTTP_CODE_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { whenReady } from '#kernel';
import { GLOBAL_GUARDS } from './global-guards.ts';
import { ProblemFilter } from './problem.filter.ts';

const DIRECT = Symbol('direct');

/**
 * A route on the hot path. Its guards, its handler and the error filter are called without Nest's pipeline, and
 * synchronously as far as they are synchronous (docs/adr/0058-direct-routes.md). The handler has the parameters
 * `(@Req() request, @Res() reply)`, and sends the answer itself.
 */
export function Direct(): MethodDecorator {
  return SetMetadata(DIRECT, true);
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => void | Promise<void>;

/** What is known of a direct route when the service starts. */
interface DirectRoute {
  readonly url: string;
  readonly controller: Type;
  readonly instance: object;
  readonly method: Handler;
  readonly guards: readonly CanActivate[];
  readonly status: number;
}

/**
 * Serves the direct routes of the controllers. Nest registers them like all others, for OpenAPI and for the table of
 * routes; only the function that Fastify calls is replaced. Call before `app.init()`.
 */
export function serveDirectRoutes(app: NestFastifyApplication, controllers: readonly Type[]): void {
  const filter = app.get(ProblemFilter);
  const routes = new Map(
    controllers.flatMap((controller) => directRoutesOf(app, controller)).map((route) => [route.url, route]),
  );
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (options) => {
      const route = routes.get(options.url);
      if (route !== undefined) options.handler = (request, reply) => serve(route, filter, request, reply);
    });
}

/** Sends JSON text with the status of the route. */
export function sendJson(reply: FastifyReply, text: string): void {
  reply.header('content-type', 'application/json; charset=utf-8').send(text);
}

/** Calls guards and handler. The promise never rejects: errors go to the filter. */
function serve(
  route: DirectRoute,
  filter: ProblemFilter,
  request: FastifyRequest,
  reply: FastifyReply,
): void | Promise<void> {
  const context = new ExecutionContextHost([request, reply], route.controller, route.method);
  try {
    const done = whenReady(admit(route.guards, context, 0), () => {
      reply.code(route.status);
      return route.method.call(route.instance, request, reply);
    });
    if (done instanceof Promise) return done.catch((error: unknown) => filter.catch(error, context));
  } catch (error) {
    filter.catch(error, context);
  }
}

/** Calls the guards from this one on. Ours throw instead of returning false. */
function admit(guards: readonly CanActivate[], context: ExecutionContext, from: number): void | Promise<void> {
  for (let at = from; at < guards.length; at += 1) {
    const admitted = guards[at]?.canActivate(context);
    if (admitted === true) continue;
    if (!(admitted instanceof Promise)) throw refused();
    return admitted.then((isAdmitted) => {
      if (!isAdmitted) throw refused();
      return admit(guards, context, at + 1);
    });
  }
}

function refused(): Error {
  return new Error('a guard of a direct route said no without an error');
}

function directRoutesOf(app: NestFastifyApplication, controller: Type): DirectRoute[] {
  const instance = app.get<object>(controller, { strict: false });
  const prototype = controller.prototype as Record<string, Handler>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const method = prototype[name];
    if (method === undefined || metadataOf(DIRECT, method) !== true) return [];
    checkParameters(controller, name);
    const classes = [...GLOBAL_GUARDS, ...guardsOf(controller), ...guardsOf(method)];
    return {
      url: `/${String(metadataOf(PATH_METADATA, controller))}/${String(metadataOf(PATH_METADATA, method))}`,
      controller,
      instance,
      method,
      guards: classes.map((guard) => app.get(guard, { strict: false })),
      status: Number(metadataOf(HTTP_CODE_METADATA, method) ?? 200),
    };
  });
}

function guardsOf(target: object): readonly Type<CanActivate>[] {
  return (metadataOf(GUARDS_METADATA, target) ?? []) as Type<CanActivate>[];
}

/** @throws Error when the handler expects more than the request and the reply, in that order */
function checkParameters(controller: Type, name: string): void {
  const parameters = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as Record<string, { index: number }>;
  const found = Object.entries(parameters).map(([key, { index }]) => `${key.split(':')[0]}@${index}`);
  const expected = [`${RouteParamtypes.REQUEST}@0`, `${RouteParamtypes.RESPONSE}@1`];
  if (found.sort().join() !== expected.sort().join()) {
    throw new Error(`${controller.name}.${name}: a direct route has the parameters @Req() and @Res()`);
  }
}

function metadataOf(key: string | symbol, target: object): unknown {
  return Reflect.getMetadata(key, target) as unknown;
}
