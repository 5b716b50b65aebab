import type { FastifyInstance } from 'fastify';
import { normalTarget } from './request-target.ts';
import type { RouteTable } from './route-table.ts';

const WELL_KNOWN = '/.well-known/';

/**
 * Turns a request target into the one that the router knows, where PUBLIC_URL has a path. A proxy may strip that path or pass it
 * on. RFC 8414 3.1 puts it behind the well-known name instead of before it.
 * @param publicPath such as `/auth`, or '' for none
 */
export function targetReader(publicPath: string, routes: RouteTable): (target: string) => string {
  if (publicPath === '') return normalTarget;
  return (target) => {
    const normal = normalTarget(target);
    const question = normal.indexOf('?');
    const path = question < 0 ? normal : normal.slice(0, question);
    const query = question < 0 ? '' : normal.slice(question);
    if (path.startsWith(WELL_KNOWN) && path.endsWith(publicPath)) return path.slice(0, -publicPath.length) + query;
    if (path !== publicPath && !path.startsWith(`${publicPath}/`)) return normal;
    const inside = path.slice(publicPath.length) || '/';
    // behind a proxy that strips, /auth/… may also be a path of ours
    return routes.beginsLikeRoute(inside) ? inside + query : normal;
  };
}

/** Puts the path of PUBLIC_URL before each `Location` that is a path of this service. */
export function addPublicPath(instance: FastifyInstance, publicPath: string): void {
  if (publicPath === '') return;
  instance.addHook('onSend', (_request, reply, payload, done) => {
    const location = reply.getHeader('location');
    if (typeof location === 'string' && location.startsWith('/')) reply.header('location', publicPath + location);
    done(null, payload);
  });
}
