import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { DomainError } from '#kernel';
import type { LatchkeyRequest } from './latchkey-request.ts';

const MOST_FAULTS = 20;

/**
 * Refuses a query where the route takes none. Routes that take one check it against their schema; without this, a filter or an
 * option sent to the wrong call would be ignored in silence. It stands behind the guard that asks who it is. As an interceptor it would
 * send every request of every route through rxjs, token requests too.
 */
@Injectable()
export class StrayQueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<LatchkeyRequest>();
    if (request.url.startsWith('/v1/') && request.url.includes('?') && !takesQuery(context)) {
      const members = Object.keys(request.query as object).slice(0, MOST_FAULTS);
      if (members.length > 0) throw unknownMembers(members);
    }
    return true;
  }
}

function takesQuery(context: ExecutionContext): boolean {
  const route = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name) as unknown;
  return Object.keys(route ?? {}).some((key) => key.startsWith(`${RouteParamtypes.QUERY}:`));
}

function unknownMembers(members: readonly string[]): DomainError {
  return new DomainError('validation', 'The request is not valid; see errors.', {
    errors: members.map((name) => ({
      pointer: `/query/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`.slice(0, 200),
      code: 'unknown-member',
      message: 'This call takes no such query parameter; leave it out.',
    })),
  });
}
