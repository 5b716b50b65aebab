import type { FastifyInstance } from 'fastify';
import { normalTarget } from './request-target.ts';
import type { RouteTable } from './route-table.ts';

const WELL_KNOWN = '/.well-known/';

/**
 * Removes the path of PUBLIC_URL from a request target. A proxy may strip it already. RFC 8414 3.1 appends it to the
 * well-known path instead of prefixing it.
 * @param publicPath such as `/auth`; empty if PUBLIC_URL has no path
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
    // behind a proxy that strips the path, /auth/… could also be a route
    return routes.beginsLikeRoute(inside) ? inside + query : normal;
  };
}

/** Prefixes the path of PUBLIC_URL to each `Location` that is a path of this service. */
export function addPublicPath(instance: FastifyInstance, publicPath: string): void {
  if (publicPath === '') return;
  instance.addHook('onSend', (_request, reply, payload, done) => {
    const location = reply.getHeader('location');
    if (typeof location === 'string' && location.startsWith('/')) reply.header('location', publicPath + location);
    done(null, payload);
  });
}
