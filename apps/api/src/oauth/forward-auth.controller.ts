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
import { toDomainError } from '../http/to-domain-error.ts';
import { ClientSignIn } from './client-sign-in.ts';
import { DocumentedForwardAuth } from './oauth-docs.ts';
import { BASIC_CHALLENGE } from './oauth-error.ts';

/** The whole answer: a status and headers. RFC 6750 3 for the challenges. */
interface Verdict {
  readonly result: string;
  readonly status: 204 | 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
}

const NO_TOKEN: Verdict = refusal('no-token', 401, 'Bearer realm="latchkey"');
const BAD_TOKEN: Verdict = refusal('inactive', 401, 'Bearer realm="latchkey", error="invalid_token"');
const NOT_GRANTED: Verdict = refusal('scope', 403, 'Bearer realm="latchkey", error="insufficient_scope"');
const WRONG_ADDRESS: Verdict = { result: 'address', status: 403, headers: {} };
const BAD_GATEWAY_SECRET: Verdict = refusal('gateway', 401, BASIC_CHALLENGE);

function refusal(result: string, status: 401 | 403, challenge: string): Verdict {
  return { result, status, headers: { 'www-authenticate': challenge } };
}

/** Answers gateways: may this caller call that API? Whatever happens, the answer is 204, 401, 403 or 503. */
@Controller('oauth2')
@Public()
export class ForwardAuthController {
  constructor(
    private readonly clients: ClientSignIn,
    private readonly verifier: TokenVerifier,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @All('forward-auth')
  @DocumentedForwardAuth()
  async forwardAuth(@Req() request: LatchkeyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { result, status, headers } = await this.verdict(request).catch((error: unknown) =>
      this.unavailable(error, request),
    );
    this.metrics.introspections.inc({ result });
    reply.code(status).headers(headers).send();
  }

  private async verdict(request: LatchkeyRequest): Promise<Verdict> {
    const gateway = await this.gateway(request);
    if (gateway === undefined) return BAD_GATEWAY_SECRET;
    const bearer = parseBearerAuthorization(request.raw.rawHeaders);
    if (bearer === 'absent' || bearer === 'other-scheme') return NO_TOKEN;
    if (bearer === 'malformed') return BAD_TOKEN;
    const verdict = this.verifier.verify(bearer.token);
    const good = verdict instanceof Promise ? await verdict : verdict;
    return good === undefined ? BAD_TOKEN : judge(good, gateway, request);
  }

  private async gateway({ raw, clientAddress }: LatchkeyRequest): Promise<AuthenticatedResourceServer | undefined> {
    const basic = parseBasicAuthorization(raw.rawHeaders, 'x-forward-auth-authorization');
    if (typeof basic === 'string') return undefined;
    try {
      const user = await this.clients.signIn(basic.id, basic.secret, clientAddress);
      return user.type === 'resource-server' ? user : undefined;
    } catch (error) {
      if (error instanceof AuthenticationFailed) return undefined;
      throw error;
    }
  }

  /** The store is away, the gateway guesses, or we are at fault: no one gets in. */
  private unavailable(thrown: unknown, request: LatchkeyRequest): Verdict {
    const error = toDomainError(thrown);
    if (error.code === 'internal') this.logger.error({ err: error.cause, requestId: request.id }, 'request failed');
    return { result: 'unavailable', status: 503, headers: { 'retry-after': String(error.retryAfterSeconds ?? 2) } };
  }
}

function judge(good: GoodToken, { resourceServer }: AuthenticatedResourceServer, request: LatchkeyRequest): Verdict {
  const api = (request.query as Record<string, unknown>)['api'];
  const granted = typeof api === 'string' && resourceServer.apis.includes(api) && good.scope.includes(api);
  if (!granted) return NOT_GRANTED;
  const claimed = request.headers['x-forward-auth-client-ip'];
  const address = typeof claimed === 'string' ? parseAddress(claimed) : undefined;
  // a header that is no address, or there twice, is no address at all
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
