import type { TestDatabase } from './database.ts';
import { eventually } from './service.ts';

/** What the service writes on its own: its heartbeats, and the counts of what is used. */
const LEFT_OUT: ReadonlySet<string> = new Set(['instances', 'last_uses', 'usage']);
/** Noted when a person signs in, or a client asks for a token. */
const TIMES_OF_USE = /"last(?:SignIn|Used|Seen)At":(?:\{[^{}]*\}|"[^"]*"|null),?/g;

/** Everything that is stored, apart from what is counted and when something was last used, as text by collection. */
export async function storedState(database: TestDatabase): Promise<Record<string, string>> {
  const outbox = await database.collection('outbox');
  await eventually(async () => (await outbox.countDocuments()) === 0);
  const state: Record<string, string> = {};
  for (const name of (await database.collections()).sort()) {
    if (LEFT_OUT.has(name)) continue;
    const documents = await (await database.collection(name)).find().sort({ _id: 1 }).toArray();
    state[name] = documents.map((document) => JSON.stringify(document).replaceAll(TIMES_OF_USE, '')).join('\n');
  }
  return state;
}
