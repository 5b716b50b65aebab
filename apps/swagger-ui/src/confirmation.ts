import { isDryRun, isReadable, nameOf, namedParts, pathValues } from './call.ts';
import type { NamedPart } from './call.ts';
import { isDestructive, questionFor } from './destructive.ts';
import { fillTemplate } from './kinds.ts';
import { comparedThing, lossOf } from './losses.ts';
import type { Edit, Loss } from './losses.ts';
import { pageState } from './page-state.ts';
import type { Question, Thing } from './page-state.ts';
import { send, stringOf } from './service.ts';
import type { Immutable, PathMethod, System } from './system.ts';
import { lookUp } from './things.ts';

type KnownPart = readonly [NamedPart, Thing | undefined];

/** What the page asks before it sends a call that takes something away; undefined for every other call. */
export async function questionBefore(
  system: System,
  pathMethod: PathMethod,
  operation: Immutable,
): Promise<Omit<Question, 'answer'> | undefined> {
  if (isDryRun(system, pathMethod)) return undefined;
  if (isDestructive(...pathMethod)) {
    const parts = await knownParts(system, pathMethod);
    const summary = String(operation.get('summary'));
    const consequence = stringOf(operation.get('description')).replaceAll('`', '');
    const verb = summary.split(' ', 1)[0] ?? 'Yes';
    return { title: questionFor(summary, parts), things: thingsOf(parts), consequence, verb };
  }
  const loss = await lossIn(system, pathMethod);
  if (loss === undefined) return undefined;
  const parts = await knownParts(system, pathMethod);
  const { lost, consequence, verb } = loss;
  const things = [...thingsOf(parts), ...(lost.length === 0 ? [] : [`loses ${lost.join(', ')}`])];
  return { title: titleOf(loss, parts), things, consequence, verb };
}

function titleOf({ asked }: Loss, parts: readonly KnownPart[]): string {
  const named = parts.findLast(([part]) => part.hasName);
  return named === undefined ? `${asked}?` : `${asked} ${nameOf(...named)}?`;
}

function thingsOf(parts: readonly KnownPart[]): string[] {
  return parts.toReversed().map(([part, thing]) => {
    const name = nameOf(part, thing);
    return name.endsWith(part.id) ? name : `${part.noun} ${name} (${part.id})`;
  });
}

/** The things that the path names, each looked up if it was not before. */
async function knownParts(system: System, pathMethod: PathMethod): Promise<KnownPart[]> {
  const [template] = pathMethod;
  const parts = namedParts(template, pathValues(system, pathMethod));
  for (const { parameter, path } of parts) {
    const isKnown = path === undefined || pageState().things[path]?.state === 'found';
    if (!isKnown && isReadable(system, template, parameter)) await lookUp(parameter, path);
  }
  return parts.map((part) => [part, pageState().things[part.path ?? '']]);
}

async function lossIn(system: System, pathMethod: PathMethod): Promise<Loss | undefined> {
  const [template, method] = pathMethod;
  const body = membersOf(system.oas3Selectors.requestBodyValue(template, method));
  if (body === undefined) return undefined;
  const edit: Edit = { template, method, body };
  const compared = comparedThing(edit);
  const path = compared === undefined ? undefined : fillTemplate(compared, pathValues(system, pathMethod));
  const before = path === undefined ? undefined : await send('GET', path);
  return lossOf(edit, before?.status === 200 ? (before.body as Edit['body']) : undefined);
}

/** The members of a JSON body; undefined for what the service is going to refuse. */
function membersOf(typed: unknown): Edit['body'] | undefined {
  if (typeof typed !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(typed);
    return typeof value === 'object' && value !== null ? (value as Edit['body']) : undefined;
  } catch {
    return undefined;
  }
}
