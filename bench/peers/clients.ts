import { createHash } from 'node:crypto';

/** A client of a peer. */
export interface PeerClient {
  readonly id: string;
  readonly secret: string;
}

/** The scope that peers grant. */
export const PEER_SCOPE = 'api:read';

/** The peers' clients, with secrets of 256 bits that are the same in each run. */
export const peerClients: readonly PeerClient[] = Array.from({ length: 50 }, (_unused, index) => ({
  id: `client-${String(index).padStart(4, '0')}`,
  secret: sha256(`benchmark-secret-${index}`),
}));

/** SHA-256 in base64url. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Where node-oauth keeps a client. */
export function nodeOauthClientKey(id: string): string {
  return `nodeoauth:client:${id}`;
}

/** Where oidc-provider keeps a model's instance. */
export function oidcKey(model: string, id: string): string {
  return `oidc:${model}:${id}`;
}

/** The key that the baseline "one store read" reads. */
export const STORE_READ_KEY = 'limit:answer';
