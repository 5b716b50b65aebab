import { Injectable } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Observable } from 'rxjs';
import { DomainError } from '#kernel';
import type { LatchkeyRequest } from './latchkey-request.ts';

const MOST_FAULTS = 20;

/**
 * Refuses a query where the route takes none. Routes that take one check it against their schema; without this, a filter or an
 * option sent to the wrong call would be ignored in silence.
 */
@Injectable()
export class StrayQueryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<LatchkeyRequest>();
    if (request.url.startsWith('/v1/') && request.url.includes('?') && !takesQuery(context)) {
      const members = Object.keys(request.query as object).slice(0, MOST_FAULTS);
      if (members.length > 0) throw unknownMembers(members);
    }
    return next.handle();
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
