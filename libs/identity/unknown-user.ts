import type { Subject } from '#kernel';

/** The event log's name for someone unknown. */
export const UNKNOWN_USER: Subject = { type: 'unknown', id: 'unknown' };
