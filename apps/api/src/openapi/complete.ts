import { X_ROLES } from '../http/access.ts';
import { METHODS, operationsOf, takesIdempotencyKey } from './document.ts';
import type { Document, Operation, ParameterObject, PlacedOperation, ResponseObject } from './document.ts';
import type { Deployment } from './description.ts';
import { documentHeaders, headers } from './headers.ts';
import { orderPaths } from './order-paths.ts';
import { ifMatch, parametersOfPath } from './parameters.ts';
import { documentProblems } from './problems.ts';
import { tidySchemas } from './tidy-schemas.ts';

/**
 * Completes the document that Nest makes of the controllers by what follows from the house's rules, so that no
 * controller has to say it: how to sign in, parameters of the path, If-Match, headers of answers, and the problems that
 * every call may answer.
 */
export function completeDocument(document: Document, deployment: Deployment): Document {
  dropForeignMethods(document);
  documentHeaders(document);
  documentProblems(document);
  for (const placed of operationsOf(document)) {
    documentSecurity(placed, deployment);
    documentParameters(placed);
    documentSuccess(document, placed);
    documentRefusals(placed);
  }
  tidySchemas(document);
  orderPaths(document);
  return document;
}

/** A route that takes any method is one operation to a reader, and OpenAPI 3.0 has no word for some of the methods. */
function dropForeignMethods(document: Document): void {
  for (const item of Object.values(document.paths)) {
    const methods: string[] = Object.keys(item);
    const takesAny = methods.includes('search');
    for (const method of methods) {
      const known = METHODS.some((name) => name === method);
      if (!known || (takesAny && method !== 'get')) Reflect.deleteProperty(item, method);
    }
    if (takesAny && item.get !== undefined) {
      item.get.operationId = item.get.operationId?.replace(/_get$/, '') ?? '';
    }
  }
}

/**
 * Who may call: people what names their roles; what has sign-in of its own says so in its controller; the rest is
 * public.
 */
function documentSecurity({ operation }: PlacedOperation, { oidc }: Deployment): void {
  const roles = (operation as unknown as Record<string, readonly string[] | undefined>)[X_ROLES] ?? [];
  if (roles.length > 0) operation.security = waysFor(roles, oidc);
  else operation.security ??= [];
}

/** A service user is never platform-admin, so its keys are no way to call what only that role may. */
function waysFor(roles: readonly string[], oidc: boolean): Record<string, string[]>[] {
  const people: Record<string, string[]>[] = [{ session: [] }, { person: [] }, ...(oidc ? [{ oidc: [] }] : [])];
  return roles.some((role) => role !== 'platform-admin') ? [...people, { apiKey: [] }] : people;
}

function documentParameters({ path, operation }: PlacedOperation): void {
  const said = (operation.parameters ?? []).filter((parameter) => '$ref' in parameter || parameter.in !== 'path');
  const conditional = has(operation, 428) || has(operation, 412) ? [ifMatch(has(operation, 428))] : [];
  operation.parameters = [...parametersOfPath(path), ...conditional, ...said];
  for (const parameter of operation.parameters) {
    if ('$ref' in parameter) continue;
    tellExample(parameter);
    if (parameter.in === 'header' && parameter.required !== true) tellOptional(parameter);
  }
}

/** Swagger UI marks what is required; that a header may be left out is easily missed. */
function tellOptional(parameter: ParameterObject): void {
  parameter.description = `Optional. ${parameter.description ?? ''}`.trim();
}

/**
 * Swagger UI sends the example of a parameter also where it may be left out. An example of a filter would narrow every
 * list that is tried out, so it is told in words.
 */
function tellExample(parameter: ParameterObject): void {
  const { schema } = parameter;
  if (parameter.required === true || schema === undefined || '$ref' in schema || schema.default !== undefined) return;
  const example = (parameter.example ?? schema.example) as string | number | undefined;
  if (example === undefined) return;
  Reflect.deleteProperty(parameter, 'example');
  Reflect.deleteProperty(schema, 'example');
  parameter.description = `${parameter.description ?? ''} For example \`${example}\`.`.trim();
}

/** Headers of the answers that are no errors. */
function documentSuccess(document: Document, { path, method, operation }: PlacedOperation): void {
  const item = document.paths[path];
  const versioned =
    has(operation, 412) ||
    (method === 'get' && METHODS.some((other) => item?.[other] !== undefined && has(item[other], 428)));
  const replayable = takesIdempotencyKey(operation);
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!status.startsWith('2') || response === undefined || '$ref' in response) continue;
    const isOfDryRun = status === '200' && has(operation, 204);
    // a replay of a create whose answer has a secret is 200
    const created = status === '201' || (replayable && has(operation, 201));
    response.headers = {
      ...(hasContent(response) && (versioned || created) && !isOfDryRun ? headers('ETag') : {}),
      ...(created ? headers('Location') : {}),
      ...(replayable ? headers('Idempotency-Replayed') : {}),
      ...response.headers,
      ...headers('X-Request-Id'),
    };
  }
}

/** Headers of the OAuth endpoints' errors; those of the admin calls come with their problems. */
function documentRefusals({ path, operation }: PlacedOperation): void {
  if (!path.startsWith('/oauth2/')) return;
  for (const [status, response] of Object.entries(operation.responses)) {
    if (status.startsWith('2') || response === undefined || '$ref' in response) continue;
    response.headers = {
      ...(status === '401' || status === '403' ? headers('WWW-Authenticate') : {}),
      ...(status === '429' || status === '503' ? headers('Retry-After') : {}),
      ...response.headers,
      ...headers('X-Request-Id'),
    };
    const json = response.content?.['application/json'];
    if (json !== undefined) json.example = oauthExample(path, status);
  }
}

function oauthExample(path: string, status: string): object {
  if (status === '401') return { error: 'invalid_client', error_description: 'Client authentication failed.' };
  if (path === '/oauth2/token' && status === '429') {
    const error_description = 'This client has as many live tokens as it may.';
    return { error: 'temporarily_unavailable', error_description };
  }
  if (status === '429' || status === '503') {
    return { error: 'temporarily_unavailable', error_description: 'The service cannot answer at the moment.' };
  }
  return { error: 'invalid_request', error_description: 'The request cannot be read.' };
}

function has(operation: Operation, status: number): boolean {
  return operation.responses[String(status)] !== undefined;
}

function hasContent(response: ResponseObject): boolean {
  return Object.keys(response.content ?? {}).length > 0;
}
