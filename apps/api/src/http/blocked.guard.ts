import { Injectable, SetMetadata } from '@nestjs/common';
import type { CanActivate, CustomDecorator, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DomainError } from '#kernel';
import { Conditions } from '#observability';

const ALWAYS = Symbol('always');
const RETRY_AFTER_SECONDS = 10;

/** A route that answers even while the instance must not serve, such as its health. */
export function ServesAlways(): CustomDecorator<symbol> {
  return SetMetadata(ALWAYS, true);
}

/**
 * Refuses requests while a condition blocks the instance. `/readyz` alone stops only callers behind a load balancer; a
 * direct caller must not use an ended credential either.
 */
@Injectable()
export class BlockedGuard implements CanActivate {
  constructor(
    private readonly conditions: Conditions,
    private readonly reflector: Reflector,
  ) {}

  /** @throws DomainError `not-ready` */
  canActivate(context: ExecutionContext): boolean {
    const { blocking } = this.conditions;
    if (blocking === undefined) return true;
    if (this.reflector.getAllAndOverride<boolean>(ALWAYS, [context.getHandler(), context.getClass()])) return true;
    throw new DomainError(
      'not-ready',
      `This instance is not ready: ${blocking.code}. See /readyz, or try another instance.`,
      {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      },
    );
  }
}
