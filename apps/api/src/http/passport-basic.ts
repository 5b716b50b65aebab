import { PassportStrategy } from '@nestjs/passport';
import { BasicStrategy } from 'passport-http';

/** Checks the id and secret that the strict parser read. Resolves to undefined if they are wrong. */
type Verify = () => unknown;

/** The stand-in for the request that passport-http receives: the check of the pair travels with it. */
interface CheckedRequest {
  readonly headers: { readonly authorization: string };
  readonly verify: Verify;
}

/** The methods that passport adds to a strategy for one request, limited to those used here. */
interface StrategyRun {
  success: (user: unknown) => void;
  fail: () => void;
  error: (error: unknown) => void;
  authenticate(request: CheckedRequest): void;
}

// a well-formed stand-in: passport-http accepts `NotBasicAtAll` and lenient base64, and cuts a secret at a colon
const STAND_IN = { authorization: `Basic ${Buffer.from('checked:before').toString('base64')}` };

/** passport-http's strategy, for people and for clients. */
class PassportBasicStrategy extends PassportStrategy(BasicStrategy, 'basic', 4) {
  constructor() {
    super({ passReqToCallback: true });
  }

  /** Called by passport-http. Ignores the pair that it parsed. */
  validate({ verify }: CheckedRequest): unknown {
    return verify();
  }
}

const strategy = new PassportBasicStrategy();

/**
 * Signs somebody in with HTTP Basic, by passport-http. Replaces `passport.authenticate`, which allocates a dozen
 * functions per request for sessions, flash messages and redirects.
 *
 * @param verify checks the pair that was read from the request
 * @returns undefined if it is wrong
 * @throws the errors of `verify`
 */
export function signInByPassport<U>(verify: () => U | undefined | Promise<U | undefined>): Promise<U | undefined> {
  return new Promise((resolve, reject) => {
    const run = Object.create(strategy) as StrategyRun;
    run.success = (user) => resolve(user as U);
    run.fail = () => resolve(undefined);
    run.error = reject;
    run.authenticate({ headers: STAND_IN, verify });
  });
}
