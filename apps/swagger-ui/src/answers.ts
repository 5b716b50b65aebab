import { fillTemplate, kindOf, parametersIn, thingTemplate } from './kinds.ts';
import { etags, forgetId, rememberIds, rememberToken } from './memory.ts';
import { pageState, updatePage } from './page-state.ts';
import { pathBelow, textOf } from './service.ts';
import { loadPerson } from './session.ts';
import { secretIn } from './shown-secrets.ts';
import type { PathMethod, System, UiResponse } from './system.ts';

/** Learns from an answer that the page is going to show: ids, ETags, tokens, secrets, and that a session is over. */
export function learnFrom(system: System, [template, method]: PathMethod, response: UiResponse): void {
  const { ok, status, url = '', headers = {}, text } = response.err?.response ?? response;
  const path = pathBelow(url);
  if ((status === 401 && path.startsWith('/v1/')) || path === '/v1/session') void loadPerson();
  if (ok !== true) return;
  const body = parsed(text);
  if (isDryRunAnswer(body)) return;
  etags.saw(path, headers['etag'], headers['location'] === undefined ? undefined : pathBelow(headers['location']));
  const ids = idsIn(template, path);
  const own = parametersIn(template).at(-1);
  if (method === 'delete' && own !== undefined && template.endsWith(`{${own}}`)) {
    forgetId(own, ids[own] ?? '');
    etags.forget(path);
    return;
  }
  rememberIds({ ...ids, ...(method === 'post' ? createdId(system, template, body) : {}) });
  const token = textOf(body, 'access_token');
  if (token !== undefined) rememberToken(token);
  const secret = secretIn(body);
  if (secret !== undefined) updatePage({ secrets: [secret, ...pageState().secrets] });
  const name = textOf(body, kindOf(own ?? '')?.label ?? '');
  const thing = own === undefined ? undefined : fillTemplate(thingTemplate(template, own), ids);
  if (thing === path && name !== undefined) {
    updatePage({ things: { ...pageState().things, [path]: { state: 'found', name } } });
  }
}

/** The ids that a path has where its template has parameters. */
function idsIn(template: string, path: string): Record<string, string> {
  const parts = path.split('/');
  return Object.fromEntries(
    template.split('/').flatMap((part, index) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      return name === undefined ? [] : [[name, decodeURIComponent(parts[index] ?? '')]];
    }),
  );
}

/** What a list's POST made, under the name that the paths below it have for it. */
function createdId(system: System, template: string, body: unknown): Record<string, string> {
  const paths = system.specSelectors.specJson().get('paths') as { keySeq(): { toArray(): string[] } };
  const below = paths
    .keySeq()
    .toArray()
    .find((path) => path.startsWith(`${template}/{`));
  const [name = ''] = below === undefined ? [] : parametersIn(below.slice(template.length));
  const id = textOf(body, kindOf(name)?.id ?? '');
  return id === undefined ? {} : { [name]: id };
}

/** Such an answer says what a call would do, not what it did. */
function isDryRunAnswer(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'dryRun' in body && body.dryRun === true;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
