import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../tools/local-stores/ports.ts';
import { required } from './database.ts';
import { Gateway } from './gateway.ts';

/**
 * Starts a real nginx that balances requests over the instances as in docs/operating.md, and waits until it answers.
 *
 * @param ports where the instances listen
 */
export async function nginxBefore(ports: readonly number[]): Promise<Gateway> {
  const gateway = new Gateway(await freePort());
  const { folder } = gateway;
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = paths.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  // the default avoids a returned instance for ten seconds, but the other one may shut down next
  const servers = ports.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join(' ');
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr error; events {}
    http {
      access_log off; ${temporary}
      upstream latchkey { ${servers} keepalive 32; }
      server {
        listen 127.0.0.1:${gateway.port};
        location / {
          proxy_pass http://latchkey;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header X-Forwarded-For $remote_addr;
        }
      }
    }\n`,
  );
  await gateway.start(required('LATCHKEY_TEST_NGINX'), ['-p', folder, '-e', 'stderr', '-c', file]);
  return gateway;
}
