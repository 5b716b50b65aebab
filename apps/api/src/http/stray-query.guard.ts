import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { DomainError } from '#kernel';
import type { LatchkeyRequest } from './latchkey-request.ts';

const MAX_FAULTS = 20;
/** The metadata of routes that take `dryRun` (`DryRunnable`). */
export const DRY_RUNNABLE = Symbol('dry-runnable');
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Refuses query parameters on routes without a query schema; otherwise a filter on the wrong call would be ignored
 * silently. Runs after sign-in. A guard, because an interceptor would send token requests through rxjs too.
 */
@Injectable()
export class StrayQueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const request = context.getArgByIndex<LatchkeyRequest>(0);
    if (request.url.startsWith('/v1/') && request.url.includes('?')) checkQuery(context, request);
    return true;
  }
}

function checkQuery(context: ExecutionContext, { method, query }: LatchkeyRequest): void {
  const isDryRunnable = Reflect.getMetadata(DRY_RUNNABLE, context.getHandler()) === true;
  const members = Object.keys(query as object).filter((name) => name !== 'dryRun' || !isDryRunnable);
  // a write that takes no dryRun would take effect, so its refusal is explicit
  if (members.includes('dryRun') && !READS.has(method)) throw withoutDryRun();
  if (members.length > 0 && !takesQuery(context)) throw unknownMembers(members.slice(0, MAX_FAULTS));
}

function withoutDryRun(): DomainError {
  return DomainError.invalid(
    '/query/dryRun',
    'unknown-member',
    'This call has no dry run. Nothing was changed; remove the parameter to make the change.',
  );
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
