import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { FORM_LIMIT } from '../http/http-adapter.ts';
import { isFormMediaType } from '../http/form.ts';
import { InvalidRequest, sendOAuthError } from './oauth-error.ts';
import type { OAuthError } from './oauth-error.ts';

const FORM_ENDPOINTS: ReadonlySet<string> = new Set(['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']);
const FORWARD_AUTH = '/oauth2/forward-auth';
/** What tells of a body. */
const BODY_HEADERS = ['content-type', 'content-length', 'transfer-encoding'];
const FORM = 'application/x-www-form-urlencoded';

/**
 * What the form endpoints check before a body is read: method, query, media type, size. And forward-auth takes any method
 * and looks at no body, so none is read there, whatever it says of itself.
 */
export function addOAuthHooks(instance: FastifyInstance): void {
  instance.addHook('onRequest', (request, reply, done) => {
    const { url, headers } = request;
    if (!url.startsWith('/oauth2/')) {
      done();
      return;
    }
    const question = url.indexOf('?');
    const path = question < 0 ? url : url.slice(0, question);
    if (path === FORWARD_AUTH) {
      for (const name of BODY_HEADERS) if (name in headers) Reflect.deleteProperty(headers, name);
    } else if (FORM_ENDPOINTS.has(path)) {
      const fault = faultOf(request.method, question >= 0, headers);
      if (fault !== undefined) {
        // the body was not read: Node reads what still comes and throws it away
        sendOAuthError(reply, fault);
        return;
      }
    }
    done();
  });
}

function faultOf(method: string, hasQuery: boolean, headers: IncomingHttpHeaders): OAuthError | undefined {
  if (method !== 'POST') return new InvalidRequest('This endpoint takes POST only.', 405, { allow: 'POST' });
  const mediaType = headers['content-type'];
  if (mediaType !== FORM) {
    if (!isFormMediaType(mediaType)) {
      return new InvalidRequest('Send the parameters as application/x-www-form-urlencoded.');
    }
    // Fastify would refuse parameters that it cannot parse
    headers['content-type'] = FORM;
  }
  if (Number(headers['content-length'] ?? 0) > FORM_LIMIT) return new InvalidRequest('The body is too large.', 413);
  // RFC 6749 2.3.1: never in the URI, where logs would keep it
  if (hasQuery) return new InvalidRequest('Send the parameters in the body, not in the query.');
  return undefined;
}
