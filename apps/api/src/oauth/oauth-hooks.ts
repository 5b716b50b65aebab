import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MAX_FORM_BYTES } from '../http/http-adapter.ts';
import { isFormMediaType } from '../http/form.ts';
import { InvalidRequest, sendOAuthError } from './oauth-error.ts';
import type { OAuthError } from './oauth-error.ts';

const FORM_ENDPOINTS: ReadonlySet<string> = new Set(['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']);
const OWN_TOKENS = '/oauth2/tokens';
const FORWARD_AUTH = '/oauth2/forward-auth';
/** Headers that announce a body. */
const BODY_HEADERS = ['content-type', 'content-length', 'transfer-encoding'];
const FORM = 'application/x-www-form-urlencoded';

/**
 * Checks method, query, media type and size of the form endpoints before a body is read. Forward-auth accepts any
 * method and ignores the body, so its body headers are removed.
 */
export function addOAuthHooks(instance: FastifyInstance): void {
  instance.addHook('onRequest', (request, reply, done) => {
    const { url, headers } = request;
    if (!url.startsWith('/oauth2/')) {
      done();
      return;
    }
    // the usual request has no query, and its URL is the path
    if (FORM_ENDPOINTS.has(url)) {
      checkForm(request, reply, false, done);
      return;
    }
    const question = url.indexOf('?');
    const path = question < 0 ? url : url.slice(0, question);
    const ownTokensMethods = path === OWN_TOKENS ? 'DELETE, GET, HEAD' : isOwnToken(path) ? 'DELETE' : undefined;
    if (path === FORWARD_AUTH || ownTokensMethods !== undefined) {
      for (const name of BODY_HEADERS) if (name in headers) Reflect.deleteProperty(headers, name);
      if (ownTokensMethods?.split(', ').includes(request.method) === false) {
        const allow = { allow: ownTokensMethods };
        sendOAuthError(reply, new InvalidRequest('Use one of the methods in the Allow header.', 405, allow));
        return;
      }
    } else if (FORM_ENDPOINTS.has(path)) {
      checkForm(request, reply, question >= 0, done);
      return;
    }
    done();
  });
}

function checkForm(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  hasQuery: boolean,
  done: () => void,
): void {
  const fault = faultOf(method, hasQuery, headers);
  // the body was not read; Node discards it
  if (fault === undefined) done();
  else sendOAuthError(reply, fault);
}

function isOwnToken(path: string): boolean {
  return path.startsWith(`${OWN_TOKENS}/`);
}

function faultOf(method: string, hasQuery: boolean, headers: IncomingHttpHeaders): OAuthError | undefined {
  if (method !== 'POST') return new InvalidRequest('This endpoint accepts POST only.', 405, { allow: 'POST' });
  const mediaType = headers['content-type'];
  if (mediaType !== FORM) {
    if (!isFormMediaType(mediaType)) {
      return new InvalidRequest('Send the parameters as application/x-www-form-urlencoded.');
    }
    // remove parameters: Fastify rejects those that it cannot parse
    headers['content-type'] = FORM;
  }
  if (Number(headers['content-length'] ?? 0) > MAX_FORM_BYTES) return new InvalidRequest('The body is too large.', 413);
  // RFC 6749 2.3.1: not in the URI, which would put it into logs
  if (hasQuery) return new InvalidRequest('Send the parameters in the body, not in the query.');
  return undefined;
}
