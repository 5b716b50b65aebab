import fastify from 'fastify';
import { describe, expect, it, jest } from '@jest/globals';
import { keepAnswers } from './kept-answers.ts';

describe('an answer that never changes', () => {
  it('is made once, whatever the method and the query', async () => {
    const instance = fastify();
    keepAnswers(instance, ['/document']);
    const make = jest.fn(() => JSON.stringify({ large: true }));
    instance.get('/document', (_request, reply) => reply.type('application/json').send(make()));
    const answers = [];
    for (const query of ['', '', '?a=1']) answers.push(await instance.inject(`/document${query}`));
    const head = await instance.inject({ method: 'HEAD', url: '/document' });
    expect(make).toHaveBeenCalledTimes(1);
    for (const { statusCode, headers, body } of answers) {
      expect([statusCode, headers['content-type'], body]).toEqual([
        200,
        'application/json; charset=utf-8',
        '{"large":true}',
      ]);
    }
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '14', '']);
  });

  it('is made again after an error, and other answers each time', async () => {
    const instance = fastify();
    keepAnswers(instance, ['/document']);
    const make = jest
      .fn(() => 'made')
      .mockImplementationOnce(() => {
        throw new Error('not yet');
      });
    instance.get('/document', (_request, reply) => reply.send(make()));
    instance.get('/other', (_request, reply) => reply.send(make()));
    const statuses = [];
    for (const path of ['/document', '/document', '/document', '/other', '/other']) {
      statuses.push((await instance.inject(path)).statusCode);
    }
    expect(statuses).toEqual([500, 200, 200, 200, 200]);
    expect(make).toHaveBeenCalledTimes(4);
  });
});
