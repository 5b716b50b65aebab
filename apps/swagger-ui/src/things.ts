import { kindOf } from './kinds.ts';
import type { Kind } from './kinds.ts';
import { etags } from './memory.ts';
import { pageState, updatePage } from './page-state.ts';
import type { Thing } from './page-state.ts';
import { itemsOf, send, textOf } from './service.ts';

/** A thing of a list to choose from. */
export interface Choice {
  readonly id: string;
  readonly name: string;
}

/** What a list has to choose from. */
export interface Choices {
  readonly items: readonly Choice[];
  /** Why the list is not all that there is. */
  readonly gap?: 'more' | 'signed-out' | 'unreachable';
}

const PAGE_SIZE = 100;
const MAX_PAGES = 3;

/** Looks up the name of a thing, and its ETag, for the form that is going to act on it. */
export async function lookUp(parameter: string, path: string): Promise<void> {
  const { status, body, etag } = await send('GET', path);
  const kind = kindOf(parameter);
  if (status === 200 && kind !== undefined) {
    etags.sawName(path, etag);
    learn(path, { state: 'found', name: labelOf(body, kind) });
  } else if (status === 401) learn(path, { state: 'signed-out' });
  else learn(path, { state: status === 0 ? 'unreachable' : 'unknown' });
}

/** Reads a list to choose from; each of its things is then known by name. @param list its path */
export async function loadChoices(parameter: string, list: string): Promise<Choices> {
  const kind = kindOf(parameter);
  if (kind === undefined) return { items: [] };
  const items: Choice[] = [];
  let query = `?limit=${PAGE_SIZE}`;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { status, body } = await send('GET', list + query);
    // a list that is short by nature has no pages
    if (status === 400 && page === 0 && query !== '') {
      query = '';
      continue;
    }
    if (status !== 200) return { items, gap: status === 401 ? 'signed-out' : 'unreachable' };
    items.push(...itemsOf(body).map((item) => ({ id: textOf(item, kind.id) ?? '', name: labelOf(item, kind) })));
    const cursor = textOf(body, 'nextCursor');
    if (cursor === undefined) return { items: learnAll(list, items) };
    query = `?limit=${PAGE_SIZE}&cursor=${encodeURIComponent(cursor)}`;
  }
  return { items: learnAll(list, items), gap: 'more' };
}

function learnAll(list: string, items: readonly Choice[]): readonly Choice[] {
  const found = items.map(({ id, name }) => [`${list}/${encodeURIComponent(id)}`, { state: 'found', name }] as const);
  updatePage({ things: { ...pageState().things, ...Object.fromEntries(found) } });
  return items;
}

function learn(path: string, thing: Thing): void {
  updatePage({ things: { ...pageState().things, [path]: thing } });
}

function labelOf(body: unknown, kind: Kind): string {
  const label = textOf(body, kind.label) ?? '';
  return kind.label.endsWith('At') ? `${kind.label.replace('At', '')} ${label}` : label;
}
