import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { STORE_DEADLINE_MS } from '#mongo';
import { onlyLine } from '../http/authorization-header.ts';
import type { NoCredentials } from '../http/authorization-header.ts';
import { parseBasicAuthorization } from '../http/basic-authorization.ts';
import type { Unprintable } from '../http/basic-authorization.ts';
import type { SignedIn } from './client-sign-in.ts';
import { HeaderSignIn } from './header-sign-in.ts';
import { InvalidClient, InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

/** Requires the secret of a client or resource server. */
@Injectable()
export class ClientGuard implements CanActivate {
  constructor(private readonly headers: HeaderSignIn) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.getArgByIndex<OAuthRequest>(0);
    const { form } = request;
    request.deadlineAtMs = performance.now() + STORE_DEADLINE_MS;
    const hasBodySecret = form.has('client_secret') || form.has('client_assertion');
    const line = onlyLine(request.raw.rawHeaders, 'authorization');
    const known = hasBodySecret ? undefined : this.headers.remembered(line, request.clientAddress);
    if (known === undefined) return this.signIn(request, hasBodySecret, line ?? '');
    checkBodyId(form, idOf(known));
    request.user = known;
    return true;
  }

  private async signIn(request: OAuthRequest, hasBodySecret: boolean, line: string): Promise<true> {
    const basic = parseBasicAuthorization(request.raw.rawHeaders);
    if (typeof basic === 'string') throw unreadable(basic, hasBodySecret);
    // RFC 6749 2.3
    if (hasBodySecret) {
      throw new InvalidRequest('Use one authentication method: HTTP Basic, without a client_secret in the body.');
    }
    checkBodyId(request.form, basic.id);
    request.user = await this.headers.signIn(line, basic, request.clientAddress);
    return true;
  }
}

/**
 * Id and secret of a signed-in request. Read again from the header, because hardly a request needs them.
 *
 * @throws Error before the guard, which is a programming error
 */
export function presentedPair({ raw }: OAuthRequest): { readonly id: string; readonly secret: string } {
  const basic = parseBasicAuthorization(raw.rawHeaders);
  if (typeof basic === 'string') throw new Error(`the header of a signed-in client is ${basic}`);
  return basic;
}

function idOf(user: SignedIn): string {
  return user.type === 'client' ? user.credential.clientId : user.resourceServer.id;
}

function checkBodyId(form: OAuthRequest['form'], id: string): void {
  const bodyId = form.get('client_id');
  if (bodyId !== undefined && bodyId !== id) throw new InvalidRequest('client_id is not the client that signs in.');
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
