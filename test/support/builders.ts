import { randomBytes } from 'node:crypto';
import type { Answer, Api, ApiBody, CredentialBody, OperationBody } from './api.ts';

/** A short unique name. */
export function unique(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`;
}

/** Creates an operation. @throws Error if that fails */
export async function anOperation(api: Api, overrides: object = {}): Promise<OperationBody> {
  return created(await api.post<OperationBody>('/v1/operations', { name: unique('operation'), ...overrides }));
}

/** Creates an API of the catalogue. @throws Error if that fails */
export async function anApi(api: Api, overrides: object = {}): Promise<ApiBody> {
  const key = unique('api');
  return created(await api.post<ApiBody>('/v1/apis', { key, name: `The API ${key}`, ...overrides }));
}

/** Creates a credential of the operation; its ETag is `"v1"`. @throws Error if that fails */
export async function aCredential(api: Api, operationId: string, overrides: object = {}): Promise<CredentialBody> {
  const path = `/v1/operations/${operationId}/credentials`;
  return created(await api.post<CredentialBody>(path, { name: unique('credential'), ...overrides }));
}

/** Creates a resource server for the APIs. @returns its pair for HTTP Basic @throws Error if that fails */
export async function aResourceServer(
  api: Api,
  apis: readonly string[],
  overrides: object = {},
): Promise<{ id: string; username: string; password: string }> {
  const answer = await api.post<{ id: string; resourceServerSecret: string }>('/v1/resource-servers', {
    name: unique('resource-server'),
    apis,
    ...overrides,
  });
  const { id, resourceServerSecret } = created(answer);
  return { id, username: id, password: resourceServerSecret };
}

/** Creates a user with these roles. @returns name and password @throws Error if that fails */
export async function aUser(
  api: Api,
  roles: readonly string[],
  operationIds: readonly string[] = [],
): Promise<{ id: string; username: string; password: string }> {
  const username = unique('user');
  const password = randomBytes(18).toString('base64url');
  const { id } = created(await api.post<{ id: string }>('/v1/users', { username, password, roles, operationIds }));
  return { id, username, password };
}

/** The path of a credential. */
export function pathOf({ operationId, id }: { readonly operationId: string; readonly id: string }): string {
  return `/v1/operations/${operationId}/credentials/${id}`;
}

function created<T>(answer: Answer<T>): T {
  if (answer.status !== 201) throw new Error(`it was not made: ${answer.status} ${answer.text}`);
  return answer.body;
}
