import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { bounded } from '#mongo';
import { UserRepository } from '../persistence/user.repository.ts';
import type { Principal } from '../principal.ts';
import { meView, userView } from './user.view.ts';
import type { MeView, UserView } from './user.view.ts';

export class GetUserQuery extends Query<UserView> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GetUserQuery)
export class GetUserHandler implements IQueryHandler<GetUserQuery> {
  constructor(private readonly users: UserRepository) {}

  async execute({ userId }: GetUserQuery): Promise<UserView> {
    return userView((await bounded(this.users.load(userId))).state);
  }
}

/** The caller. */
export class GetMeQuery extends Query<MeView> {
  constructor(readonly principal: Principal) {
    super();
  }
}

@QueryHandler(GetMeQuery)
export class GetMeHandler implements IQueryHandler<GetMeQuery> {
  constructor(private readonly users: UserRepository) {}

  async execute({ principal }: GetMeQuery): Promise<MeView> {
    return meView(principal, (await bounded(this.users.load(principal.userId))).state);
  }
}

/** A page of users. `after` is the id of the last one of the page before. */
export class ListUsersQuery extends Query<UserView[]> {
  constructor(
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListUsersQuery)
export class ListUsersHandler implements IQueryHandler<ListUsersQuery> {
  constructor(private readonly users: UserRepository) {}

  async execute({ after, limit }: ListUsersQuery): Promise<UserView[]> {
    return (await bounded(this.users.list(after, limit))).map(userView);
  }
}
