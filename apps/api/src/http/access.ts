import { SetMetadata } from '@nestjs/common';
import type { CustomDecorator } from '@nestjs/common';
import type { Role } from '#identity';

export const ACCESS = Symbol('access');

/** Who may call a route. A route without it is refused to everyone, and fails the architecture tests. */
export type Access = { readonly public: true } | { readonly public: false; readonly roles: readonly Role[] };

/** The roles that may call the route. Routes with an `operationId` in their path are narrowed further, to one's operations. */
export function Roles(...roles: Role[]): CustomDecorator<symbol> {
  return SetMetadata(ACCESS, { public: false, roles } satisfies Access);
}

/** A route without sign-in of people: it is public, or has its own guard (the OAuth endpoints). */
export function Public(): CustomDecorator<symbol> {
  return SetMetadata(ACCESS, { public: true } satisfies Access);
}
