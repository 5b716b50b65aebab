import { Module } from '@nestjs/common';
import { AuditModule } from '#audit';
import { FeedSignal } from './feed-signal.ts';
import { ReadFeedHandler } from './read-feed.query.ts';

@Module({ imports: [AuditModule], providers: [FeedSignal, ReadFeedHandler], exports: [FeedSignal] })
export class FeedModule {}
