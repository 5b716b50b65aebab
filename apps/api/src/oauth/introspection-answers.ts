import { Inject, Injectable } from '@nestjs/common';
import { mayUseFrom } from '#access';
import type { GoodToken } from '#access';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { parseAddress } from '#kernel';
import type { SignedIn } from './client-sign-in.ts';
import { TokenUses } from './token-uses.ts';

/** An active answer (RFC 7662 2.2) as JSON. Undefined means inactive. */
export type ActiveAnswer = string | undefined;

/** The answers about a token for the last caller that asked about it: most tokens are used at one API. */
interface PreparedAnswers {
  readonly asker: object;
  /** The token's scope, limited to the APIs of the asker. */
  readonly scope: readonly string[];
  readonly active: string;
  /** The same with `allowed_ips`. */
  withAllowedIps?: string;
}

/** What introspection says about a token. An answer is written once per token, caller and state of both. */
@Injectable()
export class IntrospectionAnswers {
  private readonly prepared = new WeakMap<GoodToken, PreparedAnswers>();

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl'>,
    private readonly uses: TokenUses,
  ) {}

  /**
   * A token about which the caller may not know gets the same answer as an unknown one (RFC 7662 2.2).
   *
   * @param claimedIp the parameter `client_ip`
   * @param callerAddress the address of the caller itself
   */
  answer(
    good: GoodToken | undefined,
    user: SignedIn,
    claimedIp: string | undefined,
    callerAddress: string | undefined,
  ): ActiveAnswer {
    if (good === undefined) return undefined;
    if (user.type === 'client') {
      const own = user.credential.id === good.credential.id && mayUseFrom(good, callerAddress);
      if (!own) return undefined;
      this.uses.used(good, [], callerAddress); // calls no API
      return this.about(good, user.credential, good.scope).active;
    }
    const { resourceServer } = user;
    const answers = this.about(good, resourceServer, resourceServer.apis);
    if (answers.scope.length === 0) return undefined;
    const address = claimedIp === undefined ? undefined : parseAddress(claimedIp);
    if (claimedIp !== undefined && address === undefined) return undefined;
    // a resource server that cannot send the address gets the list and checks it itself
    const checksItself = claimedIp === undefined && !resourceServer.requireClientIp;
    if (!checksItself && !mayUseFrom(good, address)) return undefined;
    this.uses.used(good, answers.scope, address);
    const hasList = checksItself && good.credential.allowedIpTexts.length > 0;
    return hasList ? this.withAllowedIps(good, answers) : answers.active;
  }

  private about(good: GoodToken, asker: object, apis: readonly string[]): PreparedAnswers {
    const known = this.prepared.get(good);
    if (known?.asker === asker) return known;
    const scope = good.scope.filter((key) => apis.includes(key));
    const answers = { asker, scope, active: JSON.stringify(this.members(good, scope)) };
    this.prepared.set(good, answers);
    return answers;
  }

  private withAllowedIps(good: GoodToken, answers: PreparedAnswers): string {
    answers.withAllowedIps ??= JSON.stringify({
      ...this.members(good, answers.scope),
      allowed_ips: good.credential.allowedIpTexts,
    });
    return answers.withAllowedIps;
  }

  private members({ token, credential }: GoodToken, scope: readonly string[]): object {
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
