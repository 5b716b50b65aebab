import type { ExecutionContext } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { BasicStrategy } from 'passport-http';
import type { Principal } from '#identity';
import { wrongPassword } from './unauthenticated.ts';

const NAME = 'admin-basic';

/** Decides on a name and password that our own strict parser read. */
type Verify = () => Promise<Principal | undefined>;

/**
 * What passport-http gets to see in place of the request. Passport has one strategy of a name in a process, so what belongs to
 * one application comes with the request.
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

  /** passport-http's own reading of the pair is passed over: it cuts a password at its first colon. */
  async validate({ verify }: CheckedRequest): Promise<Principal | false> {
    return (await verify()) ?? false;
  }
}

/** Signs people in with HTTP Basic, by passport-http. */
export class AdminBasicGuard extends AuthGuard(NAME) {
  constructor() {
    super();
    new AdminBasicStrategy(); // makes itself known to passport
  }

  /**
   * @param verify decides on the pair that was read from the request
   * @throws DomainError `unauthenticated`, or what `verify` throws
   */
  async signIn(verify: Verify): Promise<Principal> {
    const request: CheckedRequest = {
      // a well-formed stand-in: left to itself the strategy takes any scheme with "basic" in it, and lenient base64
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
