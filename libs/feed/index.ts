export { START_OF_LOG, decodePosition, encodePosition, narrowed } from './feed-position.ts';
export { FeedModule } from './feed.module.ts';
export { FeedSignal } from './feed-signal.ts';
export { FeedInterrupted, ReadFeedQuery } from './read-feed.query.ts';
export type { FeedPosition, FeedScope } from './feed-position.ts';
export type { FeedPage } from './read-feed.query.ts';
