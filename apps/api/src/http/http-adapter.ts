import { METHODS } from 'node:http';
import type { Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyInstance } from 'fastify';
import { DomainError } from '#kernel';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { sendProblem } from './problem.ts';
import { requestIdOf } from './request-id.ts';
import { targetReader } from './public-path.ts';
import type { RouteTable } from './route-table.ts';
import { parseStrictJson } from './strict-json.ts';
import { toDomainError } from './to-domain-error.ts';
import { answerForNode, answerUnreadable } from './unreadable-requests.ts';

/** Largest JSON body in bytes: 500 API keys and 100 addresses take a tenth of it. */
const JSON_LIMIT = 512 * 1024;
/** Largest form body in bytes: a token request takes a hundredth of it. */
export const FORM_LIMIT = 16 * 1024;
const LONGEST_PATH_PARAMETER = 128;
/** How long a request's header and body may take, in milliseconds. */
const REQUEST_TIMEOUT_MS = 20_000;
/** How often Node looks for slower ones, in milliseconds: by default every 30 seconds, and so 10 to 40 seconds late. */
const TIMEOUT_CHECK_MS = 1_000;

/**
 * The Fastify server under Nest: request ids, body parsers, and an answer in our own form to everything that fails before a route.
 * @param publicPath the path of PUBLIC_URL
 * @param routes is filled as routes are added
 */
export function createHttpAdapter(publicPath: string, routes: RouteTable): FastifyAdapter {
  const insideTarget = targetReader(publicPath, routes);
  const options: FastifyHttpOptions<Server> & { readonly skipMiddie: boolean } = {
    logger: false,
    http: {
      requireHostHeader: false, // checked in request-hooks.ts: Node would answer without a word
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    skipMiddie: true,
    trustProxy: false, // the caller's address is worked out in one place: client-address.ts
    bodyLimit: JSON_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false, // while draining, what still comes in is served
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: LONGEST_PATH_PARAMETER },
    rewriteUrl: (request) => insideTarget(request.url ?? '/'),
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    clientErrorHandler: answerUnreadable,
    // no hook runs before these
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
      sendProblem(reply, toDomainError(error), request.id);
    },
  };
  const adapter = new FastifyAdapter(options);
  const instance = adapter.getInstance();
  answerForNode(instance.server);
  addMethods(instance);
  addParsers(instance);
  return adapter;
}

/** Gateways ask about calls of any method, some by that same method. CONNECT asks for a tunnel: it never gets as far. */
function addMethods(instance: FastifyInstance): void {
  for (const method of METHODS) {
    const isNew = method !== 'CONNECT' && !instance.supportedMethods.includes(method);
    if (isNew) instance.addHttpMethod(method, { hasBody: true });
  }
  // Fastify would refuse it without a Content-Type before any route of ours is asked; none reads its body
  instance.addHttpMethod('QUERY', { hasBody: false, overrideExisting: true });
}

const CHARSET = /;[ \t]*charset=("?)([^";\s]*)\1/i;

/** RFC 8259 8.1: JSON between systems is UTF-8. To read another encoding as UTF-8 would take the text for another. */
function checkCharset(contentType = ''): void {
  const charset = CHARSET.exec(contentType)?.[2];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  throw new DomainError('unsupported-media-type', 'Send the JSON in UTF-8, as application/json without a charset.');
}

function addParsers(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      checkCharset(request.headers['content-type']);
      done(null, body.length === 0 ? undefined : parseStrictJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
  // forms are for the OAuth endpoints alone, which read them themselves: which members, and whether twice
  instance.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_LIMIT },
    (request, body: string, done) => {
      if (request.url.startsWith('/oauth2/')) done(null, body);
      else done(new DomainError('unsupported-media-type', 'Send the body as application/json.'));
    },
  );
  instance.decorateRequest('clientAddress', undefined);
  instance.decorateRequest('principal', undefined);
  instance.decorateRequest('idempotencyId', undefined);
}

/** A request as the hooks see it. */
export function asLatchkeyRequest(request: unknown): LatchkeyRequest {
  return request as LatchkeyRequest;
}
