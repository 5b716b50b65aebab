import { describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { addAdminTurns } from './admin-turns.ts';

describe('requests of the admin API that arrive together', () => {
  it('let a question about a token go first, and are answered in their order', async () => {
    const server = fastify();
    addAdminTurns(server);
    const handled: string[] = [];
    server.get('/*', (request) => {
      handled.push(request.url);
      return 'ok';
    });
    await server.ready();
    const paths = [...Array.from({ length: 100 }, (_, index) => `/v1/${index}`), '/oauth2/introspect'];
    const answers = await Promise.all(paths.map((path) => server.inject(path)));
    expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true);
    expect(handled.indexOf('/oauth2/introspect')).toBeLessThan(10);
    expect(handled.filter((path) => path.startsWith('/v1/'))).toEqual(paths.slice(0, 100));
    await server.close();
  });
});
