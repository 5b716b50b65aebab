import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import type { Server } from 'node:tls';

/** Terminates TLS in front of a service, with its own certificate for 127.0.0.1. */
export class TlsFront {
  private constructor(
    private readonly server: Server,
    /** The certificate, PEM, for clients to trust. */
    readonly certificateFile: string,
  ) {}

  /**
   * @param url of the service
   * @param folder for key and certificate
   * @param host an additional name in the certificate
   */
  static async start(url: string, folder: string, host = 'localhost'): Promise<TlsFront> {
    const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const name = ['-subj', '/CN=127.0.0.1', '-addext', `subjectAltName=IP:127.0.0.1,DNS:${host}`];
    execFileSync(
      process.env['LATCHKEY_TEST_OPENSSL'] ?? 'openssl',
      ['req', ...kind, ...name, '-keyout', keyFile, '-out', certificateFile],
      { stdio: 'pipe' },
    );
    const { hostname, port } = new URL(url);
    const pair = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
    const server = createServer(pair, (socket) => {
      const upstream = connect(Number(port), hostname);
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TlsFront(server, certificateFile);
  }

  /** Host and port. */
  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}
