import { fillTemplate, hasName, kindOf, listTemplate, parametersIn, thingTemplate } from './kinds.ts';
import type { Immutable, PathMethod, System } from './system.ts';
import type { Thing } from './page-state.ts';

/** A parameter of a form that names a thing. */
export interface NamedPart {
  readonly parameter: string;
  readonly noun: string;
  readonly id: string;
  /** The path of the thing; undefined while a part of it is missing. */
  readonly path: string | undefined;
  readonly hasName: boolean;
}

/** The parameters of a call, as Swagger UI keeps them: their identity is their content. */
export function parametersOf(system: System, [path, method]: PathMethod): Immutable[] {
  const operation = system.specSelectors.specResolvedSubtree(['paths', path, method]);
  return (operation?.get('parameters') as { toArray(): Immutable[] } | undefined)?.toArray() ?? [];
}

/** What was typed or chosen for a parameter; '' for nothing. */
export function valueOf(system: System, pathMethod: PathMethod, parameter: Immutable): string {
  const value = system.specSelectors.parameterWithMetaByIdentity(pathMethod, parameter)?.get('value');
  return typeof value === 'string' ? value : '';
}

/** The values of the parameters of the path, by their names. */
export function pathValues(system: System, pathMethod: PathMethod): Record<string, string> {
  const ofPath = parametersOf(system, pathMethod).filter((parameter) => parameter.get('in') === 'path');
  return Object.fromEntries(
    ofPath.map((parameter) => [String(parameter.get('name')), valueOf(system, pathMethod, parameter)]),
  );
}

/** Whether the form asks for a dry run, which changes nothing. */
export function isDryRun(system: System, pathMethod: PathMethod): boolean {
  const asks = (parameter: Immutable): boolean =>
    parameter.get('name') === 'dryRun' && valueOf(system, pathMethod, parameter) === 'true';
  return parametersOf(system, pathMethod).some(asks);
}

/** Fills in or empties a parameter of the path. */
export function setPathValue(system: System, pathMethod: PathMethod, name: string, value: string | null): void {
  const isIt = (parameter: Immutable): boolean => parameter.get('in') === 'path' && parameter.get('name') === name;
  const parameter = parametersOf(system, pathMethod).find(isIt);
  if (parameter !== undefined) system.specActions.changeParamByIdentity(pathMethod, parameter, value, false);
}

/** The things that a path names, the outermost first. */
export function namedParts(template: string, values: Readonly<Record<string, string>>): NamedPart[] {
  return parametersIn(template).flatMap((parameter) => {
    const kind = kindOf(parameter);
    if (kind === undefined) return [];
    const path = fillTemplate(thingTemplate(template, parameter), values);
    return [{ parameter, noun: kind.noun, id: values[parameter] ?? '', path, hasName: hasName(parameter) }];
  });
}

/** The list that a parameter is chosen from, where the document has it. @returns undefined where there is none yet */
export function listPath(
  system: System,
  template: string,
  parameter: string,
  values: Readonly<Record<string, string>>,
): string | undefined {
  const list = listTemplate(template, parameter);
  return hasGet(system, list) ? fillTemplate(list, values) : undefined;
}

/** Whether the thing itself can be read. */
export function isReadable(system: System, template: string, parameter: string): boolean {
  return hasGet(system, thingTemplate(template, parameter));
}

function hasGet(system: System, template: string): boolean {
  return system.specSelectors.specJson().getIn(['paths', template, 'get']) !== undefined;
}

/** A thing by its name, or by its id where the name is not known. */
export function nameOf({ noun, id }: NamedPart, thing: Thing | undefined): string {
  return thing?.state === 'found' && thing.name !== '' ? thing.name : `${noun} ${id}`;
}
