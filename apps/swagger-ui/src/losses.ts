type Members = Readonly<Record<string, unknown>>;

/** The write that a form is about to send. */
export interface Edit {
  readonly template: string;
  readonly method: string;
  readonly body: Members;
}

/** What a write takes away from a thing that stays. */
export interface Loss {
  /** The question without the name of the thing, such as "Disable" or "Take APIs away from". */
  readonly asked: string;
  /** What is taken away; empty where the question says it, or where it is not known. */
  readonly lost: readonly string[];
  readonly consequence: string;
  /** The word on the button. */
  readonly verb: string;
}

const STATUSES: Readonly<Record<string, string>> = { disabled: 'Disable', suspended: 'Suspend' };
const REVERSIBLE = 'From the moment that this is answered, it is refused everywhere. You can undo it.';

/** The lists of rights, and what they hold. */
const LISTS: Readonly<Record<string, string>> = {
  apis: 'APIs',
  allowedIps: 'addresses',
  roles: 'roles',
  operationIds: 'operations',
  auditedOperationIds: 'operations',
};

/** The template of the thing that an edit must be compared with; undefined where the edit alone shows what it takes. */
export function comparedThing({ template, method, body }: Edit): string | undefined {
  if (!isEdit(method) || Object.keys(LISTS).every((list) => body[list] === undefined)) return undefined;
  return template.replace(/(\/credentials\/\{\w+\})\/apis$/, '$1');
}

/**
 * What a write takes away; undefined for nothing.
 *
 * @param before the thing as it is; undefined if it is not known: then every list may lose something
 */
export function lossOf({ template, method, body }: Edit, before: Members | undefined): Loss | undefined {
  if (template === '/v1/leaks' && body['revoke'] === true) {
    return { asked: 'End what leaked', lost: [], consequence: 'It cannot be undone.', verb: 'End it' };
  }
  if (!isEdit(method)) return undefined;
  const verb = STATUSES[String(body['status'])];
  if (verb !== undefined) return { asked: verb, lost: [], consequence: REVERSIBLE, verb };
  const removed = textsOf(body['remove']);
  if (removed.length > 0) return taken('APIs', removed);
  for (const [list, noun] of Object.entries(LISTS)) {
    const lost = lostFrom(list, before, body);
    if (lost !== undefined) return taken(noun, lost);
  }
  return undefined;
}

function isEdit(method: string): boolean {
  return method === 'patch' || method === 'put';
}

function taken(noun: string, lost: readonly string[]): Loss {
  const consequence = 'From the moment that this is answered, it is refused everywhere.';
  return { asked: `Take ${noun} away from`, lost, consequence, verb: 'Take away' };
}

function lostFrom(list: string, before: Members | undefined, after: Members): readonly string[] | undefined {
  if (after[list] === undefined || admitsAll(list, after)) return undefined;
  if (before === undefined) return [];
  const kept = textsOf(after[list]);
  if (admitsAll(list, before)) return [kept.length === 0 ? 'all' : `all but ${kept.join(', ')}`];
  const lost = textsOf(before[list]).filter((each) => !kept.includes(each));
  return lost.length === 0 ? undefined : lost;
}

/** No Allowed IPs admit every address; an auditor without a list sees every operation. */
function admitsAll(list: string, members: Members): boolean {
  if (list === 'allowedIps') return textsOf(members[list]).length === 0;
  return list === 'auditedOperationIds' ? members[list] === null : list === 'apis' && members['mode'] === 'all';
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
