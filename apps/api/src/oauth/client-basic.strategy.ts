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

/** What passport lends a strategy for the time of one request, as far as a strategy without sessions and redirects uses it. */
interface StrategyRun {
  success: (user: SignedIn) => void;
  fail: () => void;
  error: (error: unknown) => void;
  authenticate(request: OAuthRequest): void;
}

/**
 * HTTP Basic of clients and resource servers by passport-http. It takes `NotBasicAtAll` for `Basic`, loose base64, and cuts what
 * follows a second colon, so the guard reads the header strictly before it runs, and what the guard read is what counts.
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
   * Has passport-http authenticate one request, as `passport.authenticate` would. That makes a dozen functions and objects for
   * each request, most of them for log-ins, flash messages and redirects: a tenth of all that an introspection allocates.
   *
   * @throws InvalidClient, or what `validate` throws
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

/** Lets in who shows the secret of a client or resource server. */
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
      throw new InvalidRequest('Authenticate in one way only: HTTP Basic, without a client_secret in the body.');
    }
    const bodyId = form.get('client_id');
    if (bodyId !== undefined && bodyId !== basic.id)
      throw new InvalidRequest('client_id is not the client that signs in.');
    // passport-http takes one space only (RFC 9110 11.4 has one or more)
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
    case 'malformed': // RFC 7617 2, RFC 9110 5.3: it is there but cannot be read, or is there twice
      return new InvalidRequest(
        'The Authorization header is not HTTP Basic: send it once, as Basic and the base64 of id:secret.',
      );
    case 'unprintable':
      return new InvalidRequest(
        'The client id or secret contains white space or another character that none has. Look for a line break at its end.',
      );
    default:
      return hasBodySecret ? InvalidClient.secretInBody() : InvalidClient.withoutBasic();
  }
}
