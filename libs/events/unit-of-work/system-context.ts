import { randomUUID } from 'node:crypto';
import type { CallContext } from '#kernel';

/** The context of what the service does by itself. @param id which part of it, as `token-purge` */
export function systemContext(id: string): CallContext {
  return { actor: { type: 'system', id, ip: null }, requestId: randomUUID() };
}
