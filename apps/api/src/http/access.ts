import { SetMetadata, applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { Role } from '#kernel';

export const ACCESS = Symbol('access');
/** The member of an operation in the OpenAPI document that tells who may call it. */
export const X_ROLES = 'x-roles';

/** `any`: everyone who signed in, even without a role. */
type Callers = readonly Role[] | 'any';

/** Who may call a route. A route without it is closed to everyone and fails the architecture tests. */
export type Access = { readonly public: true } | { readonly public: false; readonly roles: Callers };

type Decorator = MethodDecorator & ClassDecorator;

/** The roles that may call the route. If its path has an `operationId`, the person must also have that operation. */
export function Roles(...roles: Role[]): Decorator {
  return declared({ public: false, roles }, roles);
}

/** Every signed-in person may call the route, with any role, because it only concerns themselves. */
export function SignedIn(): Decorator {
  return declared({ public: false, roles: 'any' }, ['any']);
}

/** A route without sign-in of people: it is public or has its own guard (the OAuth endpoints). */
export function Public(): Decorator {
  return declared({ public: true }, []);
}

function declared(access: Access, roles: readonly string[]): Decorator {
  return applyDecorators(SetMetadata(ACCESS, access), ApiExtension(X_ROLES, roles));
}
