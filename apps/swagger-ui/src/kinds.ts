/** What a parameter of a path names, in the words of the page. */
export interface Kind {
  readonly noun: string;
  /** The member that names it to a person. */
  readonly label: string;
  /** The member that a path takes. */
  readonly id: string;
}

const kind = (noun: string, label: string, id = 'id'): Kind => ({ noun, label, id });

const KINDS: Readonly<Record<string, Kind>> = {
  operationId: kind('operation', 'name'),
  credentialId: kind('credential', 'name'),
  apiKey: kind('API', 'name', 'key'),
  resourceServerId: kind('resource server', 'name'),
  userId: kind('user', 'username'),
  secretId: kind('secret', 'createdAt'),
  keyId: kind('key', 'name'),
  tokenId: kind('token', 'issuedAt'),
  sessionId: kind('session', 'lastSeenAt'),
  eventId: kind('event', 'type'),
};

/** Those that have a name of their own; a secret or a token is told by what it belongs to. */
const NAMED = ['operationId', 'credentialId', 'apiKey', 'resourceServerId', 'userId'];

/** @param parameter name of a parameter of a path */
export function kindOf(parameter: string): Kind | undefined {
  return KINDS[parameter];
}

export function hasName(parameter: string): boolean {
  return NAMED.includes(parameter);
}

/** The parameters of a path template, in order. */
export function parametersIn(template: string): string[] {
  return [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

/** The template up to and with this parameter: the path of the thing itself. */
export function thingTemplate(template: string, parameter: string): string {
  return template.slice(0, template.indexOf(`{${parameter}}`) + parameter.length + 2);
}

/** The template of the list that the parameter is chosen from. */
export function listTemplate(template: string, parameter: string): string {
  return template.slice(0, template.indexOf(`/{${parameter}}`));
}

/** The template with its values. @returns undefined while one of them is missing */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string | undefined {
  if (parametersIn(template).some((name) => (values[name] ?? '') === '')) return undefined;
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
}
