import { describe, expect, it } from '@jest/globals';
import { targetReader } from './public-path.ts';
import { RouteTable } from './route-table.ts';

/** A table with these paths. */
function tableOf(...paths: string[]): RouteTable {
  const routes = new RouteTable('');
  routes.watch({
    addHook: (_name: string, hook: (route: { url: string; method: string }) => void) => {
      for (const url of paths) hook({ url, method: 'GET' });
    },
  } as never);
  return routes;
}

const routes = tableOf('/', '/v1/operations', '/oauth2/token', '/docs', '/.well-known/x', '/auth/oidc/start');

describe('a request target below the path of PUBLIC_URL', () => {
  const inside = targetReader('/auth', routes);

  it.each([
    ['passed on', '/auth/v1/operations?limit=1', '/v1/operations?limit=1'],
    ['stripped by the proxy', '/v1/operations?limit=1', '/v1/operations?limit=1'],
    ['the path alone', '/auth', '/'],
    ['with a slash', '/auth/', '/'],
    ['with a query', '/auth?x=1', '/?x=1'],
    ['in another spelling', '/%61uth/%761/operations', '/v1/operations'],
    ['a path of ours that begins alike, stripped', '/auth/oidc/start', '/auth/oidc/start'],
    ['the same, passed on', '/auth/auth/oidc/start?a', '/auth/oidc/start?a'],
    ['a name that only begins alike', '/authority/v1', '/authority/v1'],
    ['an unknown path', '/auth/nothing', '/auth/nothing'],
    ['well-known with the path behind it (RFC 8414 3.1)', '/.well-known/x/auth', '/.well-known/x'],
    ['well-known below the path', '/auth/.well-known/x', '/.well-known/x'],
    ['another path behind a well-known name', '/.well-known/x/other', '/.well-known/x/other'],
  ])('%s', (_what, target, expected) => {
    expect(inside(target)).toBe(expected);
  });

  it('may have more than one segment', () => {
    const deep = targetReader('/team/auth', routes);
    expect(deep('/team/auth/oauth2/token')).toBe('/oauth2/token');
    expect(deep('/team/oauth2/token')).toBe('/team/oauth2/token');
    expect(deep('/.well-known/x/team/auth')).toBe('/.well-known/x');
  });
});

it('a request target is unchanged if PUBLIC_URL has no path', () => {
  expect(targetReader('', routes)('/auth/v1/operations')).toBe('/auth/v1/operations');
});
