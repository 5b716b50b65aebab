import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { EventView } from '#audit';
import { FeedInterrupted, ReadFeedQuery } from '#feed';
import type { FeedPage, FeedPosition, FeedScope } from '#feed';
import { DomainError } from '#kernel';
import { STORE_DEADLINE_MS, beforeDeadline } from '#mongo';
import { Roles } from '../http/access.ts';
import { ApiProblems } from '../http/api-problems.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { feedAnswer, feedQuery } from './feed.dto.ts';
import type { FeedParameters } from './feed.dto.ts';
import { FeedCursors } from './feed-cursors.ts';
import { FeedFollowers } from './feed-followers.ts';
import { requestedChain, visibleChains } from './visible-chains.ts';

const SECOND_MS = 1000;

interface FeedAnswer {
  readonly items: readonly EventView[];
  readonly nextCursor: string;
}

@ApiTags('Events')
@Controller('v1/events/feed')
@Roles('platform-admin', 'operation-admin', 'auditor')
export class FeedController {
  constructor(
    private readonly queries: QueryBus,
    private readonly cursors: FeedCursors,
    private readonly followers: FeedFollowers,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Follow the event log',
    description:
      'Oldest first. Answers as soon as there are events after the cursor, or with an empty page after `wait` seconds; ' +
      'then call again with `after` set to `nextCursor`. Store `nextCursor` after you have processed the items: each ' +
      'event comes at least once, and each chain without a gap in the order of `seq`. Recognise repeated events by ' +
      'their `id`. Events of new operations are included. Operations that you may no longer see are left out. ' +
      'Summed-up refusals (`sign-in.refused.v1`) follow about two minutes after their minute. Reading events this way ' +
      'is an event too, at most one per reader and minute. 410 `feed-interrupted`: the log no longer has the event ' +
      'that the cursor ends with, because it was archived or the database was restored; continue with the ' +
      '`nextCursor` of the error. At most 10 requests of one person and 500 in all wait on one instance. docs/siem.md ' +
      'shows followers.',
  })
  @ApiOkResponse({ description: 'The next events.', standardSchema: feedAnswer })
  @ApiProblems('not-found', 'invalid-cursor', 'feed-interrupted', 'too-many-followers')
  async follow(
    @Req() request: LatchkeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query({ schema: feedQuery }) { after: cursor, wait, limit, operationId, part }: FeedParameters,
  ): Promise<FeedAnswer> {
    const after = await this.cursors.open(cursor);
    const scope = (): FeedScope => {
      const visible = visibleChains(request.principal, operationId);
      const requested = requestedChain(operationId);
      return { chains: requested === undefined ? visible : [requested], part };
    };
    // RFC 9110 9.3.2: a HEAD has no body, so there is nothing to wait for
    const waitMs = request.method === 'HEAD' || after === 'latest' ? 0 : wait * SECOND_MS;
    return this.followers.follow(request, reply, waitMs, {
      scope,
      read: (followed) => this.read(request, followed, after, limit),
      isEmpty: ({ items }) => items.length === 0,
    });
  }

  private async read(
    request: LatchkeyRequest,
    scope: FeedScope,
    after: FeedPosition | 'latest',
    limit: number,
  ): Promise<FeedAnswer> {
    const query = new ReadFeedQuery(callContext(request), scope, after, limit);
    try {
      const page: FeedPage = await beforeDeadline(performance.now() + STORE_DEADLINE_MS, () =>
        this.queries.execute(query),
      );
      return { items: page.items, nextCursor: await this.cursors.seal(page.position, scope) };
    } catch (error) {
      if (!(error instanceof FeedInterrupted)) throw error;
      throw interrupted(await this.cursors.seal(error.rest, scope));
    }
  }
}

function interrupted(nextCursor: string): DomainError {
  return new DomainError(
    'feed-interrupted',
    'The log no longer has the event that the cursor ends with: it was archived, or the database was restored. ' +
      'Continue with `nextCursor`, which repeats what is left of that chain.',
    { extensions: { nextCursor } },
  );
}
