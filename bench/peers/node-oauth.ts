// Peer B: @node-oauth/oauth2-server on Fastify with a model in Redis. The library issues and checks tokens; it has no
// introspection endpoint, so that is a thin route over its check.
import { timingSafeEqual } from 'node:crypto';
import { parse } from 'node:querystring';
import Fastify from 'fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Redis } from 'ioredis';
import OAuth2Server from '@node-oauth/oauth2-server';
import type { Client, ClientCredentialsModel, Falsey, Token, User } from '@node-oauth/oauth2-server';
import { nodeOauthClientKey, sha256 } from './clients.ts';
import { listening, port, redisUrl } from './serve.ts';

const TOKEN_SECONDS = 3600;
const redis = new Redis(redisUrl());

interface StoredClient extends Client {
  readonly grants: string[];
  readonly scopes: string[];
  readonly secretHash: string;
}

function tokenKey(token: string): string {
  return `nodeoauth:token:${sha256(token)}`;
}

async function findClient(id: string, secret: string | null): Promise<StoredClient | undefined> {
  const value = await redis.get(nodeOauthClientKey(id));
  if (value === null) return undefined;
  const client = JSON.parse(value) as StoredClient;
  if (secret === null) return client;
  const stored = Buffer.from(client.secretHash, 'latin1');
  const given = Buffer.from(sha256(secret), 'latin1');
  return stored.length === given.length && timingSafeEqual(stored, given) ? client : undefined;
}

const model: ClientCredentialsModel = {
  async getClient(id, secret): Promise<Client | Falsey> {
    return findClient(id, secret);
  },
  getUserFromClient: (client): Promise<User> => Promise.resolve({ id: client.id }),
  validateScope: (_user, client, scope): Promise<string[]> => Promise.resolve(scope ?? (client as StoredClient).scopes),
  async saveToken(token: Token, client: Client, user: User): Promise<Token> {
    const { accessToken, accessTokenExpiresAt, scope } = token;
    const stored = { accessToken, accessTokenExpiresAt, scope, client: { id: client.id }, user };
    await redis.set(tokenKey(accessToken), JSON.stringify(stored), 'EX', TOKEN_SECONDS);
    return stored as unknown as Token;
  },
  async getAccessToken(accessToken): Promise<Token | Falsey> {
    const value = await redis.get(tokenKey(accessToken));
    if (value === null) return false;
    const token = JSON.parse(value) as Token;
    token.accessTokenExpiresAt = new Date(token.accessTokenExpiresAt ?? 0);
    return token;
  },
};

const { Request, Response } = OAuth2Server;
const oauth = new OAuth2Server({ model, accessTokenLifetime: TOKEN_SECONDS });
const app = Fastify({ logger: false });
app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
  done(null, parse(body as string)),
);

app.post('/token', async (request, reply) => {
  const headers = request.headers as Record<string, string>;
  const answer = new Response({ headers: {} });
  try {
    await oauth.token(new Request({ headers, method: 'POST', query: {}, body: request.body }), answer);
  } catch (error) {
    const { code = 500, name } = error as Error & { code?: number };
    return reply.code(code).send({ error: name });
  }
  return reply
    .code(answer.status ?? 200)
    .headers(answer.headers ?? {})
    .send(answer.body);
});

app.post('/introspect', async (request, reply) => {
  if (!(await isClient(request))) return refuse(reply);
  const { token = '' } = request.body as { token?: string };
  const headers = { authorization: `Bearer ${token}` };
  try {
    const good = await oauth.authenticate(
      new Request({ headers, method: 'POST', query: {}, body: {} }),
      new Response({ headers: {} }),
    );
    const exp = Math.floor((good.accessTokenExpiresAt?.getTime() ?? 0) / 1000);
    return { active: true, client_id: good.client.id, scope: good.scope?.join(' '), token_type: 'Bearer', exp };
  } catch {
    return { active: false };
  }
});

app.delete<{ Params: { id: string } }>('/clients/:id', async (request, reply) => {
  await redis.del(nodeOauthClientKey(request.params.id));
  return reply.code(204).send();
});

async function isClient({ headers }: FastifyRequest): Promise<boolean> {
  const encoded = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const [id = '', secret = ''] = Buffer.from(encoded ?? '', 'base64')
    .toString('latin1')
    .split(':');
  return (await findClient(id, secret)) !== undefined;
}

function refuse(reply: FastifyReply): FastifyReply {
  return reply.code(401).header('www-authenticate', 'Basic realm="peer"').send({ error: 'invalid_client' });
}

await app.listen({ port: port(), host: '127.0.0.1' });
listening(app.server.address());
