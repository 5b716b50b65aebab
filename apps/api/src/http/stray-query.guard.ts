import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { DomainError } from '#kernel';
import type { LatchkeyRequest } from './latchkey-request.ts';

const MAX_FAULTS = 20;

/**
 * Refuses query parameters on routes without a query schema; otherwise a filter on the wrong call would be ignored
 * silently. Runs after sign-in. A guard, because an interceptor would send token requests through rxjs too.
 */
@Injectable()
export class StrayQueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const request = context.getArgByIndex<LatchkeyRequest>(0);
    if (request.url.startsWith('/v1/') && request.url.includes('?') && !takesQuery(context)) {
      const members = Object.keys(request.query as object).slice(0, MAX_FAULTS);
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
  return new DomainError('validation', 'The request is not valid. See `errors`.', {
    errors: members.map((name) => ({
      pointer: `/query/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`.slice(0, 200),
      code: 'unknown-member',
      message: 'This call has no such query parameter. Remove it.',
    })),
  });
}
