// Peer A: oidc-provider, client credentials and introspection with opaque tokens; clients and tokens in Redis.
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { Provider } from 'oidc-provider';
import { PEER_SCOPE, oidcKey } from './clients.ts';
import { listening, port, redisUrl } from './serve.ts';

const redis = new Redis(redisUrl());

/** The adapter that oidc-provider's documentation describes: one JSON value for each instance of a model. */
class RedisAdapter {
  readonly model: string;

  constructor(model: string) {
    this.model = model;
  }

  async upsert(id: string, payload: object, expiresInSeconds?: number): Promise<void> {
    const value = JSON.stringify(payload);
    if (expiresInSeconds === undefined) await redis.set(oidcKey(this.model, id), value);
    else await redis.set(oidcKey(this.model, id), value, 'EX', expiresInSeconds);
  }

  async find(id: string): Promise<unknown> {
    const value = await redis.get(oidcKey(this.model, id));
    return value === null ? undefined : (JSON.parse(value) as unknown);
  }

  async destroy(id: string): Promise<void> {
    await redis.del(oidcKey(this.model, id));
  }

  // the rest is for grants of users, which the benchmark does not use
  findByUid(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  consume(): Promise<void> {
    return Promise.resolve();
  }

  revokeByGrantId(): Promise<void> {
    return Promise.resolve();
  }
}

const server = createServer();
const provider = new Provider('http://127.0.0.1', {
  adapter: RedisAdapter,
  clients: [],
  scopes: [PEER_SCOPE],
  responseTypes: [],
  clientAuthMethods: ['client_secret_basic'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    dPoP: { enabled: false },
    resourceIndicators: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
  },
  ttl: { ClientCredentials: 3600 },
  cookies: { keys: ['for-the-benchmark-only'] },
});
provider.on('server_error', (_context, error) => console.error(error));
server.on('request', provider.callback());
server.listen(port(), '127.0.0.1', () => listening(server.address()));
