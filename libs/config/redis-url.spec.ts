import { describe, expect, it } from '@jest/globals';
import { parseRedisUrl } from './redis-url.ts';

const plain = {
  kind: 'single',
  tls: false,
  nodes: [{ host: 'h', port: 6379 }],
  username: undefined,
  password: undefined,
  masterName: undefined,
  database: 0,
};

describe('REDIS_URL', () => {
  it.each([
    ['redis://h', {}],
    ['redis://h/', {}],
    ['redis://h:7000/3', { nodes: [{ host: 'h', port: 7000 }], database: 3 }],
    ['redis://[::1]:6379', { nodes: [{ host: '::1', port: 6379 }] }],
    ['rediss://[2001:db8::7]', { tls: true, nodes: [{ host: '2001:db8::7', port: 6379 }] }],
    ['redis://:p%40ss%3A@h', { password: 'p@ss:' }],
    ['redis://user:a:b@h', { username: 'user', password: 'a:b' }],
    [
      'redis+sentinel://u:p@a,b:26380/mymaster/2',
      {
        kind: 'sentinel',
        nodes: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_380 },
        ],
        username: 'u',
        password: 'p',
        masterName: 'mymaster',
        database: 2,
      },
    ],
    [
      'rediss+cluster://a:7000,[::1]:7001',
      {
        kind: 'cluster',
        tls: true,
        nodes: [
          { host: 'a', port: 7000 },
          { host: '::1', port: 7001 },
        ],
      },
    ],
  ])('reads %s', (text, differing) => {
    expect(parseRedisUrl(text)).toEqual({ ...plain, ...differing });
  });

  it.each([
    'redis://h/abc',
    'redis://h/-1',
    'redis://h/1/2',
    'redis://h:99999',
    'redis://h:0',
    'redis://::1:6379',
    'redis://a,b',
    'redis://',
    'redis://h?db=1',
    'redis+sentinel://a,b',
    'redis+cluster://a/1',
    'redis+other://a',
    'http://h',
    'redis://s3cret%zz@h',
  ])('refuses %s without repeating it', (text) => {
    expect(() => parseRedisUrl(text)).toThrow(/REDIS_URL|Redis Cluster/);
    expect(() => parseRedisUrl(text)).not.toThrow(/s3cret/);
  });
});
