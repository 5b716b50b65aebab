import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** Stands before a store and can be away, or hang, without anything happening to the store. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private port = 0;
  private hanging = false;

  constructor(private readonly target: { readonly host: string; readonly port: number }) {
    this.server = createServer((socket) => this.join(socket));
  }

  /** Where it listens, in place of the address in the URL. */
  urlFor(url: string): string {
    const own = new URL(url);
    own.host = `127.0.0.1:${this.port}`;
    return own.href;
  }

  /** Lets connections in, at the same port each time. */
  async open(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Cuts every connection and refuses new ones. */
  async away(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Keeps connections, and lets new ones in, but passes nothing on; what is held back is passed on afterwards. */
  hang(hanging: boolean): void {
    this.hanging = hanging;
    for (const socket of this.sockets) this.pauseOrResume(socket);
  }

  private join(socket: Socket): void {
    const upstream = connect(this.target);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => from.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      this.pauseOrResume(from);
    }
  }

  private pauseOrResume(socket: Socket): void {
    if (this.hanging) socket.pause();
    else socket.resume();
  }
}
