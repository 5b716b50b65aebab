import { Inject } from '@nestjs/common';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import { isLive } from '../domain/session.ts';
import { SessionRepository } from '../persistence/session.repository.ts';
import { sessionView } from './session.view.ts';
import type { SessionView } from './session.view.ts';

/** Where a person is signed in, the last used session first. */
export class ListSessionsQuery extends Query<SessionView[]> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(ListSessionsQuery)
export class ListSessionsHandler implements IQueryHandler<ListSessionsQuery> {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async execute({ userId }: ListSessionsQuery): Promise<SessionView[]> {
    const limits = this.config.sessions;
    const nowMs = this.clock.nowMs();
    const states = await bounded(this.sessions.ofUser(userId));
    return states.filter((state) => isLive(state, limits, nowMs)).map((state) => sessionView(state, limits));
  }
}
