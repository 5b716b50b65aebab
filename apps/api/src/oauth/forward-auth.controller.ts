import { All, Controller, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AuthenticationFailed, TokenVerifier, mayUseFrom } from '#access';
import type { GoodToken } from '#access';
import type { ResourceServerFacts } from '#catalogue';
import { parseAddress, whenReady } from '#kernel';
import { LOGGER, Metrics } from '#observability';
import type { Logger } from '#observability';
import { Public } from '../http/access.ts';
import { onlyLine } from '../http/authorization-header.ts';
import { parseBasicAuthorization } from '../http/basic-authorization.ts';
import { parseBearerAuthorization } from '../http/bearer-authorization.ts';
import { Direct } from '../http/direct-routes.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { RareWarning } from '../http/rare-warning.ts';
import { toDomainError } from '../http/to-domain-error.ts';
import type { SignedIn } from './client-sign-in.ts';
import { HeaderSignIn } from './header-sign-in.ts';
import { DocumentedForwardAuth } from './oauth-docs.ts';
import { TokenUses } from './token-uses.ts';

/** The complete answer: status and headers. RFC 6750 3 defines the challenges. */
interface Verdict {
  readonly result: string;
  readonly status: 204 | 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
}

/** The verdict for the last gateway that asked about a token. */
interface PreparedVerdict {
  readonly resourceServer: ResourceServerFacts;
  readonly verdict: Verdict;
}

const GATEWAY_HEADER = 'x-forward-auth-authorization';

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
  private readonly prepared = new WeakMap<GoodToken, PreparedVerdict>();

  constructor(
    private readonly headers: HeaderSignIn,
    private readonly verifier: TokenVerifier,
    private readonly metrics: Metrics,
    private readonly uses: TokenUses,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.warning = new RareWarning(logger, 'a gateway cannot sign in at forward-auth; its callers get 503');
  }

  @All('forward-auth')
  @Direct()
  @DocumentedForwardAuth()
  forwardAuth(@Req() request: LatchkeyRequest, @Res() reply: FastifyReply): void | Promise<void> {
    try {
      const verdict = this.verdict(request);
      if (verdict instanceof Promise) {
        return verdict
          .catch((error: unknown) => this.unavailable(error, request))
          .then((decided) => this.send(decided, reply));
      }
      this.send(verdict, reply);
    } catch (error) {
      this.send(this.unavailable(error, request), reply);
    }
  }

  private send({ result, status, headers }: Verdict, reply: FastifyReply): void {
    this.metrics.introspections.inc({ result });
    reply.code(status).headers(headers).send();
  }

  private verdict(request: LatchkeyRequest): Verdict | Promise<Verdict> {
    const { rawHeaders } = request.raw;
    const line = onlyLine(rawHeaders, GATEWAY_HEADER);
    const known = this.headers.remembered(line, request.clientAddress);
    if (known !== undefined) return this.verdictFor(known, request);
    const basic = parseBasicAuthorization(rawHeaders, GATEWAY_HEADER);
    if (typeof basic === 'string') return this.badGateway(request, `X-Forward-Auth-Authorization is ${basic}`);
    return this.headers.signIn(line ?? '', basic, request.clientAddress).then(
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
    const { token } = bearer;
    let judged: GoodToken | undefined;
    const decided = this.verifier.decide(
      token,
      (good) => this.judge((judged = good), gateway.resourceServer, request),
      ({ status }) => status === 204,
    );
    return whenReady(decided, (verdict) => {
      if (verdict.status !== 204) this.uses.refused(token, judged, verdict === NOT_GRANTED ? 'scope' : 'address');
      return verdict;
    });
  }

  private judge(good: GoodToken | undefined, resourceServer: ResourceServerFacts, request: LatchkeyRequest): Verdict {
    if (good === undefined) return BAD_TOKEN;
    const api = (request.query as Record<string, unknown>)['api'];
    const granted = typeof api === 'string' && resourceServer.apis.includes(api) && good.scope.includes(api);
    if (!granted) return NOT_GRANTED;
    const claimed = request.headers['x-forward-auth-client-ip'];
    const address = typeof claimed === 'string' ? parseAddress(claimed) : undefined;
    // an invalid or repeated header must not count as "no address given"
    if ((claimed !== undefined && address === undefined) || !mayUseFrom(good, address)) return WRONG_ADDRESS;
    this.uses.used(good, [api], address);
    return this.granted(good, resourceServer);
  }

  /** Written once per token and gateway: most tokens are used behind one gateway. */
  private granted(good: GoodToken, resourceServer: ResourceServerFacts): Verdict {
    const prepared = this.prepared.get(good);
    if (prepared?.resourceServer === resourceServer) return prepared.verdict;
    const headers = {
      'x-auth-client-id': good.credential.clientId,
      'x-auth-operation-id': good.credential.operationId,
      'x-auth-scope': good.scope.filter((key) => resourceServer.apis.includes(key)).join(' '),
    };
    const verdict: Verdict = { result: 'active', status: 204, headers };
    this.prepared.set(good, { resourceServer, verdict });
    return verdict;
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
