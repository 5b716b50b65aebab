import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import Negotiator from 'negotiator';
import type { Config } from '#config';
import { DomainError, parseAddress } from '#kernel';
import type { Logger } from '#observability';
import { TrustedProxies } from './client-address.ts';
import type { Draining } from './draining.ts';
import { asLatchkeyRequest } from './http-adapter.ts';
import { lacksHost } from './unreadable-requests.ts';

/** What an admin route can serve; an answer that is none of it is 406. */
const SERVED = ['application/json', 'application/problem+json', 'application/x-ndjson', 'text/csv'];

/** A token or secret of ours that someone put into a path. */
const OWN_SECRET = /lk_(?:at|cs|rs)_[0-9A-Za-z]+/g;

/** Nothing but our own origin, no framing, and styles inline since Swagger UI sets them. */
const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What is done for every request, before Nest: address, headers, content negotiation; and a log line after it. */
export function addRequestHooks(instance: FastifyInstance, config: Config, logger: Logger, draining: Draining): void {
  const proxies = new TrustedProxies(config.trustedProxies);
  const believesHeaders = config.trustedProxies.length > 0;
  instance.addHook('onRequest', (raw, reply, done) => {
    const request = asLatchkeyRequest(raw);
    const { socket } = raw.raw;
    request.clientAddress = believesHeaders
      ? proxies.clientAddress(socket.remoteAddress, headerLines(raw.raw.rawHeaders, 'x-forwarded-for'))
      : peerAddress(socket);
    reply.header('x-request-id', raw.id).header('x-content-type-options', 'nosniff');
    if (draining.active) reply.header('connection', 'close');
    const { url } = raw;
    if (lacksHost(raw.raw)) {
      done(new DomainError('malformed-request', 'HTTP/1.1 wants a Host header.'));
      return;
    }
    if (url.startsWith('/oauth2/')) {
      // RFC 6749 5.1: every answer of these endpoints, also an error
      reply.header('cache-control', 'no-store').header('pragma', 'no-cache');
    } else if (url.startsWith('/v1/')) {
      reply.header('cache-control', 'no-store');
      const fault = notAcceptable(raw.headers.accept);
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

function notAcceptable(accept: string | undefined): DomainError | undefined {
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return undefined;
  if (new Negotiator({ headers: { accept } }).mediaTypes(SERVED).length > 0) return undefined;
  return new DomainError('not-acceptable', 'Accept application/json (or */*).');
}

/** Every line of a header, in order. @param name in lower case */
export function headerLines(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
