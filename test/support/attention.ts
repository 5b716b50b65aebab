import type { Api, CredentialBody } from './api.ts';
import type { TestDatabase } from './database.ts';

export const DAY_MS = 86_400_000;

export interface AttentionFix {
  readonly method: string;
  readonly path: string;
  readonly ifMatch?: string;
  readonly body?: Record<string, unknown>;
  readonly effect: string;
}

export interface AttentionBody {
  readonly kind: string;
  readonly severity: string;
  readonly operationId: string | null;
  readonly subject: { readonly type: string; readonly id: string; readonly name: string | null };
  readonly since: string;
  readonly until?: string;
  readonly detail: string;
  readonly fix: AttentionFix | null;
}

/** Every item that the person may see. */
export function attention(api: Api, query = ''): Promise<AttentionBody[]> {
  return api.all<AttentionBody>(`/v1/attention?${query}`);
}

/** Sends the fix as it was delivered. @returns the status of the answer */
export async function applyFix(api: Api, { method, path, ifMatch, body }: AttentionFix): Promise<number> {
  const call = { ...(ifMatch === undefined ? {} : { ifMatch }), ...(body === undefined ? {} : { body }) };
  return (await api.call(method, path, call)).status;
}

/** Lets the service believe that it records use for so many days. Call it before the first start. */
export async function recordUseSince(database: TestDatabase, daysAgo: number): Promise<void> {
  await database.migrate();
  const settings = await database.collection<{ _id: string; value: string }>('settings');
  const value = new Date(Date.now() - daysAgo * DAY_MS).toISOString();
  await settings.insertOne({ _id: 'usage-recorded-since', value });
}

/** Lets a credential have been made, and changed for the last time, so many days ago. */
export async function makeOlder(database: TestDatabase, { id }: CredentialBody, days: number): Promise<void> {
  const credentials = await database.collection<{ _id: string }>('credentials');
  const then = new Date(Date.now() - days * DAY_MS);
  await credentials.updateOne({ _id: id }, { $set: { createdAt: then, updatedAt: then } });
}
