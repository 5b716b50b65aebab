import { METHODS } from 'node:http';
import type { Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyInstance } from 'fastify';
import { DomainError } from '#kernel';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { lingerOnClose } from './lingering-close.ts';
import { sendProblem } from './problem.ts';
import { requestIdOf } from './request-id.ts';
import { closeStalledAnswers } from './stalled-answers.ts';
import { targetReader } from './public-path.ts';
import type { RouteTable } from './route-table.ts';
import { parseStrictJson } from './strict-json.ts';
import { toDomainError } from './to-domain-error.ts';
import { answerForNode, answerUnreadable } from './unreadable-requests.ts';

/** More than the longest valid body, with each character escaped. Anyone can have it parsed: to read it is not free. */
const MAX_JSON_BYTES = 128 * 1024;
/** A token request needs a hundredth of it. */
export const MAX_FORM_BYTES = 16 * 1024;
const MAX_PATH_PARAMETER_LENGTH = 128;
/** The time limit for receiving the header and body of a request. */
const REQUEST_TIMEOUT_MS = 20_000;
/** How often Node checks for slow requests. Its default of 30 seconds would detect them 10 to 40 seconds late. */
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;

/**
 * Creates the Fastify server under Nest: request ids, body parsers, and problem documents for errors before a route.
 * @param publicPath the path of PUBLIC_URL
 * @param routes filled as routes are added
 */
export function createHttpAdapter(publicPath: string, routes: RouteTable): FastifyAdapter {
  const insideTarget = targetReader(publicPath, routes);
  const options: FastifyHttpOptions<Server> & { readonly skipMiddie: boolean } = {
    logger: false,
    http: {
      requireHostHeader: false, // checked in request-hooks.ts: Node would answer without a body
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    },
    skipMiddie: true,
    trustProxy: false, // client-address.ts finds the caller's address
    bodyLimit: MAX_JSON_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false, // while draining, late requests are still served
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER_LENGTH },
    rewriteUrl: (request) => insideTarget(request.url ?? '/'),
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    clientErrorHandler: answerUnreadable,
    // no hook runs for these errors
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
      sendProblem(reply, toDomainError(error), request.id);
    },
  };
  const adapter = new FastifyAdapter(options);
  const instance = adapter.getInstance();
  answerForNode(instance.server);
  lingerOnClose(instance.server);
  closeStalledAnswers(instance.server);
  addMethods(instance);
  addParsers(instance);
  return adapter;
}

/**
 * Some gateways call forward-auth with the method of their caller. CONNECT requests a tunnel and never reaches a route.
 */
function addMethods(instance: FastifyInstance): void {
  for (const method of METHODS) {
    const isNew = method !== 'CONNECT' && !instance.supportedMethods.includes(method);
    if (isNew) instance.addHttpMethod(method, { hasBody: true });
  }
  // without this, Fastify rejects QUERY without a Content-Type before a route is called; no route reads its body
  instance.addHttpMethod('QUERY', { hasBody: false, overrideExisting: true });
}

const CHARSET = /;[ \t]*charset=("?)([^";\s]*)\1/i;

/** RFC 8259 8.1: JSON between systems is UTF-8. Another encoding read as UTF-8 would give another text. */
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
  // only the OAuth endpoints accept forms; they parse them strictly themselves
  instance.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
    (request, body: string, done) => {
      if (request.url.startsWith('/oauth2/')) done(null, body);
      else done(new DomainError('unsupported-media-type', 'Send the body as application/json.'));
    },
  );
  instance.decorateRequest('clientAddress', undefined);
  instance.decorateRequest('principal', undefined);
  instance.decorateRequest('idempotencyId', undefined);
  instance.decorateRequest('dryRun', undefined);
}

/** Casts the request of a hook. */
export function asLatchkeyRequest(request: unknown): LatchkeyRequest {
  return request as LatchkeyRequest;
}
