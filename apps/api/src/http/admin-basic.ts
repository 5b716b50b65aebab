import type { ExecutionContext } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { BasicStrategy } from 'passport-http';
import type { Principal } from '#identity';
import { wrongPassword } from './unauthenticated.ts';

const NAME = 'admin-basic';

/** Checks the name and password that the strict parser read. */
type Verify = () => Promise<Principal | undefined>;

/**
 * The stand-in for the request that passport-http receives. Passport has one strategy per name and process, so the
 * check of this application travels with the request.
 */
interface CheckedRequest {
  readonly headers: { readonly authorization: string };
  readonly verify: Verify;
  user?: Principal;
}

/** passport-http's strategy for people. */
class AdminBasicStrategy extends PassportStrategy(BasicStrategy, NAME, 4) {
  constructor() {
    super({ passReqToCallback: true });
  }

  /** Ignores the pair that passport-http parsed: it cuts a password at its first colon. */
  async validate({ verify }: CheckedRequest): Promise<Principal | false> {
    return (await verify()) ?? false;
  }
}

/** Signs people in with HTTP Basic, by passport-http. */
export class AdminBasicGuard extends AuthGuard(NAME) {
  constructor() {
    super();
    new AdminBasicStrategy(); // registers itself with passport
  }

  /**
   * @param verify checks the pair that was read from the request
   * @throws DomainError `unauthenticated`, or the errors of `verify`
   */
  async signIn(verify: Verify): Promise<Principal> {
    const request: CheckedRequest = {
      // a well-formed stand-in, because the strategy accepts any scheme that contains "basic", and lenient base64
      headers: { authorization: `Basic ${Buffer.from('checked:before').toString('base64')}` },
      verify,
    };
    const host = { switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({}) }) };
    await this.canActivate(host as unknown as ExecutionContext);
    if (request.user === undefined) throw wrongPassword();
    return request.user;
  }

  override handleRequest<T>(error: unknown, principal: T | false): T {
    if (error instanceof Error) throw error;
    if (principal === false) throw wrongPassword();
    return principal;
  }
}
