import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { BasicStrategy } from 'passport-http';
import { STORE_DEADLINE_MS } from '#mongo';
import type { NoCredentials } from '../http/authorization-header.ts';
import { parseBasicAuthorization } from '../http/basic-authorization.ts';
import type { Unprintable } from '../http/basic-authorization.ts';
import { ClientSignIn } from './client-sign-in.ts';
import type { SignedIn } from './client-sign-in.ts';
import { InvalidClient, InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

const CLIENT_BASIC = 'client-basic';

/** The methods that passport adds to a strategy for one request, limited to those used here. */
interface StrategyRun {
  success: (user: SignedIn) => void;
  fail: () => void;
  error: (error: unknown) => void;
  authenticate(request: OAuthRequest): void;
}

/**
 * HTTP Basic of clients and resource servers by passport-http. It accepts `NotBasicAtAll` and lenient base64, and cuts
 * a secret at a second colon; so the guard reads the header strictly first, and only that result counts.
 */
@Injectable()
export class ClientBasicStrategy extends PassportStrategy(BasicStrategy, CLIENT_BASIC) {
  constructor(private readonly clients: ClientSignIn) {
    super({ passReqToCallback: true });
  }

  /** Called by passport-http. */
  validate(request: OAuthRequest): SignedIn | Promise<SignedIn> {
    const { id, secret } = request.basic;
    return this.clients.signIn(id, secret, request.clientAddress);
  }

  /**
   * Replaces `passport.authenticate`, which allocates a dozen functions per request for sessions, flash messages and
   * redirects: a tenth of all that an introspection allocates.
   *
   * @throws InvalidClient, or the errors of `validate`
   */
  signIn(request: OAuthRequest): Promise<SignedIn> {
    return new Promise((resolve, reject) => {
      const run = Object.create(this) as StrategyRun;
      run.success = resolve;
      run.error = reject;
      run.fail = () => reject(new InvalidClient());
      run.authenticate(request);
    });
  }
}

/** Requires the secret of a client or resource server. */
@Injectable()
export class ClientGuard implements CanActivate {
  constructor(private readonly strategy: ClientBasicStrategy) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.getArgByIndex<OAuthRequest>(0);
    const { form } = request;
    const basic = parseBasicAuthorization(request.raw.rawHeaders);
    const hasBodySecret = form.has('client_secret') || form.has('client_assertion');
    if (typeof basic === 'string') throw unreadable(basic, hasBodySecret);
    // RFC 6749 2.3
    if (hasBodySecret) {
      throw new InvalidRequest('Use one authentication method: HTTP Basic, without a client_secret in the body.');
    }
    const bodyId = form.get('client_id');
    if (bodyId !== undefined && bodyId !== basic.id)
      throw new InvalidRequest('client_id is not the client that signs in.');
    // passport-http accepts exactly one space (RFC 9110 11.4: one or more)
    const { headers } = request;
    if (headers.authorization?.includes('  ') === true) {
      headers.authorization = headers.authorization.replace(/ +/, ' ');
    }
    request.basic = basic;
    request.deadlineAtMs = performance.now() + STORE_DEADLINE_MS;
    request.user = await this.strategy.signIn(request);
    return true;
  }
}

function unreadable(basic: NoCredentials | Unprintable, hasBodySecret: boolean): InvalidRequest | InvalidClient {
  switch (basic) {
    case 'malformed': // RFC 7617 2, RFC 9110 5.3: present but unreadable, or present twice
      return new InvalidRequest(
        'The Authorization header is not valid HTTP Basic. Send it once, as Basic and the base64 of id:secret.',
      );
    case 'unprintable':
      return new InvalidRequest(
        'The client id or secret contains white space or another invalid character. Look for a line break at its end.',
      );
    default:
      return hasBodySecret ? InvalidClient.secretInBody() : InvalidClient.withoutBasic();
  }
}
