import { Injectable, SetMetadata } from '@nestjs/common';
import type { CanActivate, CustomDecorator, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DomainError } from '#kernel';
import { Conditions } from '#observability';

const ALWAYS = Symbol('always');
const RETRY_AFTER_SECONDS = 10;

/** Answers even while the instance must not serve: its health, say. */
export function ServesAlways(): CustomDecorator<symbol> {
  return SetMetadata(ALWAYS, true);
}

/**
 * Refuses requests while a condition blocks the instance. `/readyz` keeps a load balancer away, but not a caller that goes without
 * one, and what was ended must not be accepted by either.
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
    throw new DomainError('not-ready', `This instance does not serve at the moment: ${blocking.code}. See /readyz.`, {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}
