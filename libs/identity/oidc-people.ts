import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '#events';
import { DomainError } from '#kernel';
import { bounded } from '#mongo';
import type { ClaimedPerson } from '#openid-connect';
import { User } from './domain/user.ts';
import type { OidcIdentity, UserState } from './domain/user.ts';
import { UserRepository } from './persistence/user.repository.ts';

/** The caller, for the event log. */
export interface AskedBy {
  readonly ip: string | null;
  readonly requestId: string;
}

/**
 * People of the OpenID Connect provider as users of this service. They appear with their first sign-in, and are updated
 * from their claims, so that they can be listed and disabled like every user.
 */
@Injectable()
export class OidcPeople {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
  ) {}

  /**
   * The stored user for these claims. It may be disabled.
   *
   * @param isSignIn whether the person has just signed in: then these claims are the newest, and older tokens change
   * nothing
   */
  async userOf(issuer: string, person: ClaimedPerson, askedBy: AskedBy, isSignIn = false): Promise<UserState> {
    const identity = { issuer, subject: person.subject };
    const found = await bounded(this.users.findOidc(identity));
    if (found === undefined) return this.adopt(identity, person, askedBy);
    return isSignIn || isNews(found.state, person) ? this.follow(found.state.id, person, askedBy) : found.state;
  }

  private async adopt(identity: OidcIdentity, person: ClaimedPerson, askedBy: AskedBy): Promise<UserState> {
    try {
      // the context needs the id, so it exists before the unit of work
      return await this.made(identity, person, askedBy);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'name-taken') throw error;
      // another request of the same person was faster
      const found = await bounded(this.users.findOidc(identity));
      if (found === undefined) throw error;
      return found.state;
    }
  }

  private made(identity: OidcIdentity, person: ClaimedPerson, { ip, requestId }: AskedBy): Promise<UserState> {
    const { username, roles, operationIds, auditedOperationIds = null, issuedAt } = person;
    const rights = { username, roles, operationIds, auditedOperationIds };
    const id = User.newId();
    const context = { actor: { type: 'user', id, ip }, requestId } as const;
    return this.unitOfWork.run(context, { chains: [null] }, async (transaction) => {
      const user = User.adopt(
        { ...rights, id, oidc: identity, claimsFrom: issuedAt ?? transaction.at },
        transaction.at,
      );
      await this.users.insert(user, transaction.session);
      transaction.publish(user);
      return user.state;
    });
  }

  private follow(id: string, person: ClaimedPerson, { ip, requestId }: AskedBy): Promise<UserState> {
    const context = { actor: { type: 'user', id, ip }, requestId } as const;
    return this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const user = await this.users.load(id, transaction.session);
      const { username, roles, operationIds, auditedOperationIds, issuedAt = transaction.at } = person;
      const changed = user.follow({ username, roles, operationIds, auditedOperationIds }, issuedAt, transaction.at);
      if (changed) await this.users.save(user, transaction.session);
      else await this.users.noteClaims(id, issuedAt, transaction.session);
      transaction.publish(user);
      return user.state;
    });
  }
}

/** Whether the claims are newer than the last ones that were applied, and differ. */
function isNews(
  { username, roles, operationIds, auditedOperationIds, claimsFrom }: UserState,
  person: ClaimedPerson,
): boolean {
  if (person.issuedAt === undefined || (claimsFrom !== null && person.issuedAt < claimsFrom)) return false;
  const isSame = (a: readonly string[], b: readonly string[]): boolean =>
    [...a].sort().join(' ') === [...b].sort().join(' ');
  return (
    person.username !== username ||
    !isSame(person.roles, roles) ||
    !isSame(person.operationIds, operationIds) ||
    (person.auditedOperationIds !== undefined && !isSame(person.auditedOperationIds, auditedOperationIds ?? ['*']))
  );
}
