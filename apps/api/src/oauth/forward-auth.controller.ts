import { All, Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AuthenticationFailed, TokenVerifier, mayUseFrom } from '#access';
import type { AuthenticatedResourceServer, GoodToken } from '#access';
import { parseAddress } from '#kernel';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { Inject } from '@nestjs/common';
import { Public } from '../http/access.ts';
import { parseBasicAuthorization } from '../http/basic-authorization.ts';
import { parseBearerAuthorization } from '../http/bearer-authorization.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { RareWarning } from '../http/rare-warning.ts';
import { toDomainError } from '../http/to-domain-error.ts';
import { ClientSignIn } from './client-sign-in.ts';
import type { SignedIn } from './client-sign-in.ts';
import { DocumentedForwardAuth } from './oauth-docs.ts';

/** The complete answer: status and headers. RFC 6750 3 defines the challenges. */
interface Verdict {
  readonly result: string;
  readonly status: 204 | 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
}

const NO_TOKEN: Verdict = refusal('no-token', 401, 'Bearer realm="latchkey"');
const BAD_TOKEN: Verdict = refusal('inactive', 401, 'Bearer realm="latchkey", error="invalid_token"');
const NOT_GRANTED: Verdict = refusal('scope', 403, 'Bearer realm="latchkey", error="insufficient_scope"');
const WRONG_ADDRESS: Verdict = { result: 'address', status: 403, headers: {} };
/** Callers cannot fix the secret of their gateway: they get 503, and the log tells the operator. */
const BAD_GATEWAY_SECRET: Verdict = { result: 'gateway', status: 503, headers: { 'retry-after': '2' } };

function refusal(result: string, status: 401 | 403, challenge: string): Verdict {
  return { result, status, headers: { 'www-authenticate': challenge } };
}

/** Answers gateways: may this caller call that API? The answer is always 204, 401, 403 or 503. */
@Controller('oauth2')
@Public()
export class ForwardAuthController {
  private readonly warning: RareWarning;

  constructor(
    private readonly clients: ClientSignIn,
    private readonly verifier: TokenVerifier,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.warning = new RareWarning(logger, 'a gateway cannot sign in at forward-auth; its callers get 503');
  }

  @All('forward-auth')
  @DocumentedForwardAuth()
  async forwardAuth(@Req() request: LatchkeyRequest, @Res() reply: FastifyReply): Promise<void> {
    let verdict: Verdict;
    try {
      const decided = this.verdict(request);
      verdict = decided instanceof Promise ? await decided : decided;
    } catch (error) {
      verdict = this.unavailable(error, request);
    }
    const { result, status, headers } = verdict;
    this.metrics.introspections.inc({ result });
    reply.code(status).headers(headers).send();
  }

  private verdict(request: LatchkeyRequest): Verdict | Promise<Verdict> {
    const basic = parseBasicAuthorization(request.raw.rawHeaders, 'x-forward-auth-authorization');
    if (typeof basic === 'string') return this.badGateway(request, `X-Forward-Auth-Authorization is ${basic}`);
    const gateway = this.clients.signIn(basic.id, basic.secret, request.clientAddress);
    if (!(gateway instanceof Promise)) return this.verdictFor(gateway, request);
    return gateway.then(
      (user) => this.verdictFor(user, request),
      (error: unknown) => {
        if (error instanceof AuthenticationFailed)
          return this.badGateway(request, error.reason, error.claimed.subject.id);
        throw error;
      },
    );
  }

  private verdictFor(gateway: SignedIn, request: LatchkeyRequest): Verdict | Promise<Verdict> {
    if (gateway.type !== 'resource-server') {
      return this.badGateway(request, 'it signs in as a client, not as a resource server', gateway.credential.clientId);
    }
    const bearer = parseBearerAuthorization(request.raw.rawHeaders);
    if (bearer === 'absent' || bearer === 'other-scheme') return NO_TOKEN;
    if (bearer === 'malformed') return BAD_TOKEN;
    const good = this.verifier.verify(bearer.token);
    return good instanceof Promise
      ? good.then((token) => judge(token, gateway, request))
      : judge(good, gateway, request);
  }

  private badGateway({ clientAddress, id }: LatchkeyRequest, reason: string, subject?: string): Verdict {
    const peer = clientAddress ?? 'unknown';
    this.warning.warn(peer, { peer, reason, subject, requestId: id });
    return BAD_GATEWAY_SECRET;
  }

  /** The store is unavailable, the gateway is rate-limited, or there is an internal error: deny access. */
  private unavailable(thrown: unknown, request: LatchkeyRequest): Verdict {
    const error = toDomainError(thrown);
    if (error.code === 'internal') this.logger.error({ err: error.cause, requestId: request.id }, 'request failed');
    return { result: 'unavailable', status: 503, headers: { 'retry-after': String(error.retryAfterSeconds ?? 2) } };
  }
}

function judge(
  good: GoodToken | undefined,
  { resourceServer }: AuthenticatedResourceServer,
  request: LatchkeyRequest,
): Verdict {
  if (good === undefined) return BAD_TOKEN;
  const api = (request.query as Record<string, unknown>)['api'];
  const granted = typeof api === 'string' && resourceServer.apis.includes(api) && good.scope.includes(api);
  if (!granted) return NOT_GRANTED;
  const claimed = request.headers['x-forward-auth-client-ip'];
  const address = typeof claimed === 'string' ? parseAddress(claimed) : undefined;
  // an invalid or repeated header must not count as "no address given"
  if ((claimed !== undefined && address === undefined) || !mayUseFrom(good, address)) return WRONG_ADDRESS;
  return {
    result: 'active',
    status: 204,
    headers: {
      'x-auth-client-id': good.credential.clientId,
      'x-auth-operation-id': good.credential.operationId,
      'x-auth-scope': good.scope.filter((key) => resourceServer.apis.includes(key)).join(' '),
    },
  };
}
