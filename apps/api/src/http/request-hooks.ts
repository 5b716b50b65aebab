import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '#config';
import { DomainError, parseAddress } from '#kernel';
import type { Logger } from '#observability';
import { accepts } from './accept.ts';
import { TrustedProxies } from './client-address.ts';
import type { Draining } from './draining.ts';
import { asLatchkeyRequest } from './http-adapter.ts';
import { sendProblem } from './problem.ts';
import { RareWarning } from './rare-warning.ts';
import type { RouteTable } from './route-table.ts';
import { faultOfHost } from './unreadable-requests.ts';

const EXPORT_PATH = '/v1/events/export';
const PROBLEM = 'application/problem+json';
const SERVED = ['application/json', PROBLEM];
const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv';
const SERVED_EXPORTS = new Map([
  ['ndjson', [NDJSON, PROBLEM]],
  ['csv', [CSV, PROBLEM]],
]);

/** A token or secret of ours that someone put into a path. */
const OWN_SECRET = /lk_(?:ak|at|cs|rs|ss)_[0-9A-Za-z]+/g;

/** Nothing but our own origin, no framing, and styles inline since Swagger UI sets them. */
const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What is done for every request, before Nest: address, headers, content negotiation; and a log line after it. */
export function addRequestHooks(
  instance: FastifyInstance,
  config: Config,
  logger: Logger,
  draining: Draining,
  routes: RouteTable,
): void {
  const addressOf = addressReader(config, logger);
  instance.addHook('onRequest', (raw, reply, done) => {
    const request = asLatchkeyRequest(raw);
    request.clientAddress = addressOf(raw.raw);
    reply.header('x-request-id', raw.id).header('x-content-type-options', 'nosniff');
    if (draining.active) reply.header('connection', 'close');
    const { url } = raw;
    const hostFault = faultOfHost(raw.raw);
    if (hostFault !== undefined) {
      done(new DomainError('malformed-request', hostFault));
      return;
    }
    // before the body is read: its media type must not turn an unknown path into a 415
    const unrouted = raw.is404 ? routes.faultOf(url, raw.method, reply) : undefined;
    if (unrouted !== undefined) {
      sendProblem(reply, unrouted, raw.id);
      return;
    }
    if (url.startsWith('/oauth2/')) {
      // RFC 6749 5.1: every answer of these endpoints, also an error
      reply.header('cache-control', 'no-store').header('pragma', 'no-cache');
    } else if (url.startsWith('/v1/')) {
      reply.header('cache-control', 'no-store');
      const fault = notAcceptable(raw);
      if (fault !== undefined) {
        done(fault);
        return;
      }
    } else if (url.startsWith('/docs')) secureDocs(reply);
    done();
  });
  instance.addHook('onResponse', (request, reply, done) => {
    if (request.url.startsWith('/v1/')) {
      // never the query: it may hold what someone should not have put there
      const path = request.url.split('?', 1)[0]?.replaceAll(OWN_SECRET, '[redacted]');
      const ms = Math.round(reply.elapsedTime);
      logger.info({ requestId: request.id, method: request.method, path, status: reply.statusCode, ms }, 'request');
    }
    done();
  });
}

/**
 * How the caller's address is found. An address that cannot be read is undefined, and the log says why: with a proxy that sends
 * something unexpected nobody can sign in, and nothing else would tell the operator.
 */
function addressReader(config: Config, logger: Logger): (request: IncomingMessage) => string | undefined {
  if (config.trustedProxies.length === 0) return ({ socket }) => peerAddress(socket);
  const proxies = new TrustedProxies(config.trustedProxies);
  const warning = new RareWarning(
    logger,
    'requests of this peer are refused: the address of the caller cannot be read',
  );
  return ({ socket, rawHeaders }) => {
    const found = proxies.clientAddress(socket.remoteAddress, headerLines(rawHeaders, 'x-forwarded-for'));
    if (typeof found === 'string') return found;
    const peer = socket.remoteAddress ?? 'unknown';
    warning.warn(peer, { peer, ...found });
    return undefined;
  };
}

const peers = new WeakMap<Socket, string>();

/** The canonical address of the socket's peer, worked out once for all requests of a connection. */
function peerAddress(socket: Socket): string | undefined {
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const address = socket.remoteAddress === undefined ? undefined : parseAddress(socket.remoteAddress);
  if (address !== undefined) peers.set(socket, address);
  return address;
}

function secureDocs(reply: FastifyReply): void {
  reply
    .header('content-security-policy', DOCS_CSP)
    .header('referrer-policy', 'no-referrer')
    .header('x-frame-options', 'DENY');
}

function notAcceptable({ url, headers: { accept }, query }: FastifyRequest): DomainError | undefined {
  let types: readonly string[] = SERVED;
  if (url.startsWith(EXPORT_PATH)) {
    const { format = 'ndjson' } = query as Record<string, unknown>;
    // an unknown format is left to the schema
    types = SERVED_EXPORTS.get(String(format)) ?? [NDJSON, CSV];
  }
  if (accepts(accept, types)) return undefined;
  return new DomainError('not-acceptable', `Accept ${types[0]} (or */*).`);
}

/** Every line of a header, in order. @param name in lower case */
export function headerLines(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
