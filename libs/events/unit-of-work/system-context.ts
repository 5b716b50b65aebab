import { randomUUID } from 'node:crypto';
import type { CallContext } from '#kernel';

/** The context of internal work. @param id the name of the task, such as `token-purge` */
export function systemContext(id: string): CallContext {
  return { actor: { type: 'system', id, ip: null }, requestId: randomUUID() };
}
