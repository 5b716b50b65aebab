import { describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { addRequestTurns } from './request-turns.ts';

describe('requests that arrive together', () => {
  it.each([
    ['of the admin API', '/v1/'],
    ['for large documents', '/docs/'],
  ])(
    '%s let a question about a token and a health check go first, and are answered in their order',
    async (_, path) => {
      const server = fastify();
      addRequestTurns(server);
      const handled: string[] = [];
      server.get('/*', (request) => {
        handled.push(request.url);
        return 'ok';
      });
      await server.ready();
      const paths = [
        ...Array.from({ length: 100 }, (_each, index) => `${path}${index}`),
        '/oauth2/introspect',
        '/livez',
      ];
      const answers = await Promise.all(paths.map((each) => server.inject(each)));
      expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true);
      for (const first of paths.slice(-2)) expect(handled.indexOf(first)).toBeLessThan(10);
      expect(handled.filter((each) => each.startsWith(path))).toEqual(paths.slice(0, 100));
      await server.close();
    },
  );
});
