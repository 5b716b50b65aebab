import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

describe('GET /.well-known/oauth-authorization-server', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({ env: { PUBLIC_URL: 'https://latchkey.example/' } });
  });

  afterAll(() => service.discard());

  it('lists endpoints and methods (RFC 8414), without sign-in', async () => {
    const answer = await new Api(service.url, null).get('/.well-known/oauth-authorization-server');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.body).toStrictEqual({
      issuer: 'https://latchkey.example',
      token_endpoint: 'https://latchkey.example/oauth2/token',
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
      introspection_endpoint: 'https://latchkey.example/oauth2/introspect',
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
      revocation_endpoint: 'https://latchkey.example/oauth2/revoke',
      revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
      service_documentation: 'https://latchkey.example/docs',
    });
  });

  it('names only endpoints that exist', async () => {
    const { body } = await new Api(service.url, null).get('/.well-known/oauth-authorization-server');
    const endpoints = Object.entries(body).filter(([name]) => name.endsWith('_endpoint'));
    expect(endpoints).toHaveLength(3);
    for (const [, url] of endpoints) {
      const { pathname } = new URL(url as string);
      const { status } = await fetch(`${service.url}${pathname}`, {
        method: 'POST',
        body: new URLSearchParams({ token: 'x' }),
      });
      expect(status).toBe(401);
    }
  });

  it('answers HEAD alike, and refuses other methods', async () => {
    const url = `${service.url}/.well-known/oauth-authorization-server`;
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    const post = await fetch(url, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toStrictEqual([405, 'GET, HEAD']);
  });
});
