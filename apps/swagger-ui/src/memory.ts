import { Attempts, randomKey } from './attempts.ts';
import { SeenEtags } from './etags.ts';

/** What the page remembers as long as it is open, and never shows by itself. */
export const etags = new SeenEtags();
export const attempts = new Attempts(randomKey);

/** The thing of each kind that was made or used last: it is filled into forms that destroy nothing. */
const lastUsed = new Map<string, string>();
let lastToken: string | undefined;

export function lastUsedId(parameter: string): string | undefined {
  return lastUsed.get(parameter);
}

/** An operation of another choice has other credentials. */
export function rememberIds(ids: Readonly<Record<string, string>>): void {
  const { operationId } = ids;
  if (operationId !== undefined && operationId !== lastUsed.get('operationId')) lastUsed.delete('credentialId');
  for (const [parameter, id] of Object.entries(ids)) lastUsed.set(parameter, id);
}

export function forgetId(parameter: string, id: string): void {
  if (lastUsed.get(parameter) === id) lastUsed.delete(parameter);
}

export function lastAccessToken(): string | undefined {
  return lastToken;
}

export function rememberToken(token: string): void {
  lastToken = token;
}
