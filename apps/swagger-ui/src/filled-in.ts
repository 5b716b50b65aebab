import { parametersOf, pathValues, setPathValue, valueOf } from './call.ts';
import { isDestructive } from './destructive.ts';
import { fillTemplate, parametersIn } from './kinds.ts';
import { attempts, etags, lastAccessToken, lastUsedId } from './memory.ts';
import { pageState } from './page-state.ts';
import type { Immutable, PathMethod, System, UiExecution } from './system.ts';

/**
 * *Try it out* was pressed: a new attempt begins, and what was used last is filled in, where nothing is destroyed by
 * it.
 */
export function beginAttempt(system: System, pathMethod: PathMethod): void {
  const [template, method] = pathMethod;
  attempts.begin(pathMethod.join(' '));
  const values = pathValues(system, pathMethod);
  const names = parametersIn(template);
  const filled = isDestructive(template, method) ? names.slice(0, -1) : names;
  for (const name of filled) {
    const id = lastUsedId(name);
    if (id !== undefined && values[name] === '') setPathValue(system, pathMethod, name, id);
  }
  fillInToken(system, pathMethod);
}

/** The form of a call that takes a token gets the last one that this page was given. */
function fillInToken(system: System, [path, method]: PathMethod): void {
  const token = lastAccessToken();
  const body = system.oas3Selectors.requestBodyValue(path, method);
  if (token === undefined || body === null || typeof body !== 'object') return;
  if (body.getIn(['token', 'value']) !== '') return;
  system.oas3Actions.setRequestBodyValue({ value: system.Im.Map({ token }), pathMethod: [path, method] });
}

/** The request with the headers that the page knows and that were left empty. */
export function withHeaders(system: System, execution: UiExecution): UiExecution {
  const { pathName, method, parameters = {} } = execution;
  const pathMethod: PathMethod = [pathName, method];
  const added: Record<string, string> = {};
  for (const parameter of parametersOf(system, pathMethod)) {
    const name = String(parameter.get('name'));
    if (parameter.get('in') !== 'header' || valueOf(system, pathMethod, parameter) !== '') continue;
    const value = headerFor(system, pathMethod, name);
    if (value !== undefined) added[`header.${name}`] = value;
  }
  return { ...execution, parameters: { ...parameters, ...added } };
}

function headerFor(system: System, pathMethod: PathMethod, name: string): string | undefined {
  const [template, method] = pathMethod;
  const path = fillTemplate(template, pathValues(system, pathMethod));
  if (name === 'If-Match') return path === undefined ? undefined : etags.of(path);
  if (name === 'Idempotency-Key') {
    const body = system.oas3Selectors.requestBodyValue(template, method);
    return attempts.keyFor(pathMethod.join(' '), JSON.stringify([path, body]));
  }
  if (name === 'X-Forward-Auth-Authorization') return gatewayAuthorization(system);
  return undefined;
}

/** A gateway signs in as the resource server that *Authorize* knows, or the one whose secret the page shows. */
function gatewayAuthorization(system: System): string | undefined {
  const typed = system.authSelectors.authorized().getIn(['resourceServer', 'value']) as Immutable | undefined;
  if (typed !== undefined) return `Basic ${btoa(`${String(typed.get('username'))}:${String(typed.get('password'))}`)}`;
  const shown = pageState().secrets.find(({ member }) => member === 'resourceServerSecret');
  return shown?.userName === undefined ? undefined : `Basic ${btoa(`${shown.userName.value}:${shown.value}`)}`;
}
