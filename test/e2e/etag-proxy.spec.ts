import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../tools/local-stores/ports.ts';
import { Api } from '../support/api.ts';
import type { CredentialBody, ProblemBody } from '../support/api.ts';
import { aCredential, anOperation, pathOf } from '../support/builders.ts';
import { Gateway } from '../support/gateway.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const NGINX = process.env['LATCHKEY_TEST_NGINX'] ?? 'nginx';

/** nginx compresses answers and, as RFC 9110 8.8.1 wants, weakens their entity tags. */
describe('ETags behind nginx with gzip on', () => {
  let service: Service;
  let nginx: Gateway;
  let api: Api;
  let operationId: string;

  beforeAll(async () => {
    service = await startService();
    nginx = new Gateway(await freePort());
    const { folder, port } = nginx;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const file = join(folder, 'nginx.conf');
    writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn; events {}
      http {
        access_log off; ${temporary.join(' ')}
        gzip on; gzip_proxied any; gzip_min_length 20; gzip_types application/json;
        server { listen 127.0.0.1:${port}; location / { proxy_pass ${service.url}; proxy_http_version 1.1; } }
      }\n`,
    );
    await nginx.start(NGINX, ['-p', folder, '-e', 'stderr', '-c', file]);
    api = new Api(`http://127.0.0.1:${port}`);
    operationId = (await anOperation(api)).id;
  });

  afterAll(async () => {
    await nginx.stop();
    await service.stop();
    await service.database.drop();
  });

  /** A credential as it is read through nginx, with its tag as nginx passes it on. */
  async function weaklyTagged(): Promise<{ path: string; tag: string }> {
    const path = pathOf(await aCredential(api, operationId));
    const { headers, etag } = await api.get(path);
    expect([headers.get('content-encoding'), etag]).toEqual(['gzip', expect.stringMatching(/^W\/"v\d+"$/)]);
    return { path, tag: etag };
  }

  it('are accepted as the client received them, for PATCH, PUT and DELETE', async () => {
    const { path, tag } = await weaklyTagged();
    const patched = await api.patch<CredentialBody>(path, { description: 'one' }, { ifMatch: tag });
    expect(patched.status).toBe(200);
    const put = await api.put(`${path}/apis`, { apis: [] }, { ifMatch: patched.etag });
    expect(put.status).toBe(200);
    expect((await api.delete(path, { ifMatch: (await api.get(path)).etag })).status).toBe(204);
  });

  it('are refused with 412 when stale, and the 412 says what to do', async () => {
    const { path, tag } = await weaklyTagged();
    expect((await api.patch(path, { description: 'two' }, { ifMatch: tag })).status).toBe(200);
    const stale = await api.patch<ProblemBody>(path, { description: 'three' }, { ifMatch: tag });
    expect([stale.status, stale.body.type]).toEqual([412, 'urn:latchkey:problem:precondition-failed']);
    expect(stale.body.detail).toMatch(/^The resource is at "v\d+", but If-Match names "v\d+"/);
    const both = await api.patch(path, { description: 'three' }, { ifMatch: `${tag}, ${(await api.get(path)).etag}` });
    expect(both.status).toBe(200);
  });

  it('are sent with no-transform, so that proxies which honour it do not compress', async () => {
    const { path } = await weaklyTagged();
    expect((await new Api(service.url).get(path)).headers.get('cache-control')).toContain('no-transform');
  });
});
