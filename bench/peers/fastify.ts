// The baselines: bare Fastify (`/`), and Fastify with one store read per request (`/read`).
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { STORE_READ_KEY } from './clients.ts';
import { listening, port, redisUrl } from './serve.ts';

const redis = new Redis(redisUrl());
const app = Fastify({ logger: false });
const answer = { active: true, client_id: 'client-0000', scope: 'api:read', exp: 2_000_000_000 };

app.get('/', () => Promise.resolve(answer));
app.get('/read', async (_request, reply) => {
  const value = await redis.get(STORE_READ_KEY);
  reply.header('content-type', 'application/json');
  return value;
});

await app.listen({ port: port(), host: '127.0.0.1' });
listening(app.server.address());
