import { Controller, HttpCode, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { TokenVerifier, mayUseFrom } from '#access';
import type { GoodToken } from '#access';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { parseAddress } from '#kernel';
import { Metrics } from '#observability';
import { Public } from '../http/access.ts';
import { ClientGuard } from './client-basic.strategy.ts';
import { FormGuard } from './form.guard.ts';
import { DocumentedIntrospection } from './oauth-docs.ts';
import { InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

/** RFC 7662 2.2. */
type IntrospectionAnswer =
  | { readonly active: false }
  | {
      readonly active: true;
      readonly client_id: string;
      readonly sub: string;
      readonly scope: string;
      readonly token_type: 'Bearer';
      readonly iat: number;
      readonly exp: number;
      readonly iss: string;
      readonly aud: readonly string[];
      readonly allowed_ips?: readonly string[];
    };

const INACTIVE: IntrospectionAnswer = { active: false };
const COUNTED_ACTIVE = { result: 'active' };
const COUNTED_INACTIVE = { result: 'inactive' };

@Controller('oauth2')
@Public()
export class IntrospectionController {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('introspect')
  @HttpCode(200)
  @UseGuards(FormGuard, ClientGuard)
  @DocumentedIntrospection()
  introspect(@Req() request: OAuthRequest): IntrospectionAnswer | Promise<IntrospectionAnswer> {
    const token = request.form.get('token');
    if (token === undefined || token === '') throw new InvalidRequest('token is missing.');
    const verdict = this.verifier.verify(token);
    if (verdict instanceof Promise) return verdict.then((good) => this.count(this.answer(request, good)));
    const answer = this.answer(request, verdict);
    if (answer.active) return this.count(answer);
    return this.verifier.verifyAfresh(token).then((good) => this.count(this.answer(request, good)));
  }

  private count(answer: IntrospectionAnswer): IntrospectionAnswer {
    this.metrics.introspections.inc(answer.active ? COUNTED_ACTIVE : COUNTED_INACTIVE);
    return answer;
  }

  /** RFC 7662 2.2: a token about which the caller may not know gets the same answer as an unknown one. */
  private answer({ user, form, clientAddress }: OAuthRequest, good: GoodToken | undefined): IntrospectionAnswer {
    if (good === undefined) return INACTIVE;
    if (user.type === 'client') {
      const own = user.credential.id === good.credential.id && mayUseFrom(good, clientAddress);
      return own ? this.active(good, good.scope) : INACTIVE;
    }
    const { apis, requireClientIp } = user.resourceServer;
    const scope = good.scope.filter((key) => apis.includes(key));
    if (scope.length === 0) return INACTIVE;
    const claimedIp = form.get('client_ip');
    if (claimedIp === undefined && !requireClientIp && good.credential.allowedIpTexts.length > 0) {
      // the resource server cannot send the address, so it gets the list and checks it itself
      return { ...this.active(good, scope), allowed_ips: good.credential.allowedIpTexts } as IntrospectionAnswer;
    }
    const address = claimedIp === undefined ? undefined : parseAddress(claimedIp);
    if (claimedIp !== undefined && address === undefined) return INACTIVE;
    return mayUseFrom(good, address) ? this.active(good, scope) : INACTIVE;
  }

  private active({ token, credential }: GoodToken, scope: readonly string[]): IntrospectionAnswer {
    return {
      active: true,
      client_id: credential.clientId,
      sub: credential.clientId,
      scope: scope.join(' '),
      token_type: 'Bearer',
      iat: Math.floor(token.issuedAt.getTime() / 1000),
      exp: Math.floor(token.expiresAt.getTime() / 1000),
      iss: this.config.publicUrl,
      aud: scope,
    };
  }
}
