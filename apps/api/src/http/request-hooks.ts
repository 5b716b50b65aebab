import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '#config';
import { DomainError, parseAddress } from '#kernel';
import type { Logger } from '#observability';
import { accepts } from './accept.ts';
import { TrustedProxies } from './client-address.ts';
import { asLatchkeyRequest } from './http-adapter.ts';
import { sendProblem } from './problem.ts';
import { RareWarning } from './rare-warning.ts';
import type { RouteTable } from './route-table.ts';
import { faultOfHost } from './unreadable-requests.ts';

/** Streams of lines, and their format if the query does not name one. */
const STREAMS = new Map([
  ['/v1/events/export', 'ndjson'],
  ['/v1/reviews/access', 'csv'],
]);
const PROBLEM = 'application/problem+json';
const SERVED = ['application/json', PROBLEM];
const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv';
const SERVED_EXPORTS = new Map([
  ['ndjson', [NDJSON, PROBLEM]],
  ['csv', [CSV, PROBLEM]],
]);

/** A Latchkey token or secret that a caller put into a path. */
const OWN_SECRET = /lk_(?:ak|at|cs|rs|ss)_[0-9A-Za-z]+/g;

/** Same origin only, no framing; inline styles, because Swagger UI sets them. */
const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Before Nest, for every request: address, headers and content negotiation. After it: a log line. */
export function addRequestHooks(instance: FastifyInstance, config: Config, logger: Logger, routes: RouteTable): void {
  const addressOf = addressReader(config, logger);
  instance.addHook('onRequest', (raw, reply, done) => {
    const request = asLatchkeyRequest(raw);
    request.clientAddress = addressOf(raw.raw);
    reply.header('x-request-id', raw.id).header('x-content-type-options', 'nosniff');
    const { url } = raw;
    const hostFault = faultOfHost(raw.raw);
    if (hostFault !== undefined) {
      done(new DomainError('malformed-request', hostFault));
      return;
    }
    // before the body is read: an unknown path must be 404, whatever the media type
    const unrouted = raw.is404 ? routes.faultOf(url, raw.method, reply) : undefined;
    if (unrouted !== undefined) {
      sendProblem(reply, unrouted, raw.id);
      return;
    }
    if (url.startsWith('/oauth2/')) {
      // RFC 6749 5.1: on every answer of these endpoints, errors included
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
      // without the query, which could contain a secret
      const path = request.url.split('?', 1)[0]?.replaceAll(OWN_SECRET, '[redacted]');
      const ms = Math.round(reply.elapsedTime);
      logger.info({ requestId: request.id, method: request.method, path, status: reply.statusCode, ms }, 'request');
    }
    done();
  });
}

/**
 * Returns the function that finds the caller's address. If it cannot be read, nobody behind that proxy can sign in, so
 * the reason is logged for the operator.
 */
function addressReader(config: Config, logger: Logger): (request: IncomingMessage) => string | undefined {
  if (config.trustedProxies.length === 0) return ({ socket }) => peerAddress(socket);
  const proxies = new TrustedProxies(config.trustedProxies);
  const warning = new RareWarning(logger, 'requests of this peer are refused: cannot read the address of the caller');
  return ({ socket, rawHeaders }) => {
    const found = proxies.clientAddress(socket.remoteAddress, headerLines(rawHeaders, 'x-forwarded-for'));
    if (typeof found === 'string') return found;
    const peer = socket.remoteAddress ?? 'unknown';
    warning.warn(peer, { peer, ...found });
    return undefined;
  };
}

const peers = new WeakMap<Socket, string>();

/** The canonical address of the socket's peer, computed once per connection. */
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
  const usual = STREAMS.get(url.split('?', 1)[0] ?? '');
  if (usual !== undefined) {
    const { format = usual } = query as Record<string, unknown>;
    // the schema rejects an unknown format
    types = SERVED_EXPORTS.get(String(format)) ?? [NDJSON, CSV];
  }
  if (accepts(accept, types)) return undefined;
  return new DomainError('not-acceptable', `Send Accept: ${types[0]}, or */*.`);
}

/** All lines of a header, in order. @param name in lower case */
export function headerLines(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
