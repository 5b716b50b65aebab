import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { coversOperation, maySeeOperation } from '#identity';
import { DomainError } from '#kernel';
import type { Role } from '#kernel';
import { ACCESS } from './access.ts';
import type { Access } from './access.ts';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { PersonSignIn } from './person-sign-in.ts';

const NO_ONE: Access = { public: false, roles: [] };

/**
 * Checks on every route who calls and whether they may. A route without declared access is closed. The access of a
 * route is cached, because the guard also runs on the OAuth routes, the hot path.
 */
@Injectable()
export class AdminGuard implements CanActivate {
  private readonly known = new WeakMap<object, WeakMap<object, Access>>();

  constructor(
    private readonly reflector: Reflector,
    private readonly personSignIn: PersonSignIn,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.accessOf(context);
    return access.public || this.admit(context.switchToHttp().getRequest<LatchkeyRequest>(), access.roles);
  }

  private accessOf(context: ExecutionContext): Access {
    const handler = context.getHandler();
    const controller = context.getClass();
    let byController = this.known.get(handler);
    if (byController === undefined) this.known.set(handler, (byController = new WeakMap()));
    let access = byController.get(controller);
    if (access === undefined) {
      access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [handler, controller]) ?? NO_ONE;
      byController.set(controller, access);
    }
    return access;
  }

  private async admit(request: LatchkeyRequest, roles: readonly Role[] | 'any'): Promise<true> {
    const principal = await this.personSignIn.principalOf(request);
    request.principal = principal;
    if (roles === 'any') return true;
    if (!principal.roles.some((role) => roles.includes(role))) throw forbidden();
    const operationId = operationIdOf(request);
    if (operationId === undefined) return true;
    // RFC 9110 15.5.4: hide the existence of an operation from those who may not see it
    if (!maySeeOperation(principal, operationId)) throw DomainError.notFound('operation');
    if (!coversOperation(principal, roles, operationId)) throw forbidden();
    return true;
  }
}

function operationIdOf({ params }: LatchkeyRequest): string | undefined {
  if (typeof params !== 'object' || params === null || !('operationId' in params)) return undefined;
  return String(params.operationId);
}

function forbidden(): DomainError {
  return new DomainError('forbidden', 'Your roles do not allow this. Ask a platform-admin for another role.');
}
