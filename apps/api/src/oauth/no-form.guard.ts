import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

/** In place of the form guard, for OAuth calls without parameters. */
@Injectable()
export class NoFormGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.getArgByIndex<OAuthRequest>(0);
    if (request.url.includes('?')) throw new InvalidRequest('This call takes no query parameters; leave them out.');
    request.form = new Map();
    return true;
  }
}
