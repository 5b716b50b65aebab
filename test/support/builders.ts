import { randomBytes } from 'node:crypto';
import type { Api, ApiBody, CredentialBody, OperationBody } from './api.ts';

const MAX_TURNS = 10;

/** A short unique name. */
export function unique(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`;
}

/** Creates an operation. @throws Error if that fails */
export async function anOperation(api: Api, overrides: object = {}): Promise<OperationBody> {
  return create<OperationBody>(api, '/v1/operations', { name: unique('operation'), ...overrides });
}

/** Creates an API of the catalogue. @throws Error if that fails */
export async function anApi(api: Api, overrides: object = {}): Promise<ApiBody> {
  const key = unique('api');
  return create<ApiBody>(api, '/v1/apis', { key, name: `The API ${key}`, ...overrides });
}

/** Creates a credential of the operation; its ETag is `"v1"`. @throws Error if that fails */
export async function aCredential(api: Api, operationId: string, overrides: object = {}): Promise<CredentialBody> {
  const path = `/v1/operations/${operationId}/credentials`;
  return create<CredentialBody>(api, path, { name: unique('credential'), ...overrides });
}

/** Creates a resource server for the APIs. @returns its pair for HTTP Basic @throws Error if that fails */
export async function aResourceServer(
  api: Api,
  apis: readonly string[],
  overrides: object = {},
): Promise<{ id: string; username: string; password: string }> {
  const body = { name: unique('resource-server'), apis, ...overrides };
  const made = await create<{ id: string; resourceServerSecret: string }>(api, '/v1/resource-servers', body);
  const { id, resourceServerSecret } = made;
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
  const { id } = await create<{ id: string }>(api, '/v1/users', { username, password, roles, operationIds });
  return { id, username, password };
}

/** The path of a credential. */
export function pathOf({ operationId, id }: { readonly operationId: string; readonly id: string }): string {
  return `/v1/operations/${operationId}/credentials/${id}`;
}

/** Asks again when a busy machine answers 503. */
async function create<T>(api: Api, path: string, body: object): Promise<T> {
  for (let turn = 0; ; turn += 1) {
    const answer = await api.post<T>(path, body);
    if (answer.status === 201) return answer.body;
    if (answer.status !== 503 || turn === MAX_TURNS)
      throw new Error(`it was not made: ${answer.status} ${answer.text}`);
  }
}
