import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { ReplicaSet } from './replica-set.ts';

/** A moment to hang at: when these bytes are about to go to the store, or when they have just gone there. */
export interface Moment {
  readonly text: string;
  /** Whether the store still gets them; it is then the answer that is held back. */
  readonly passed?: boolean;
}

/** Stands before a store and can be away, hang, or be slow, without anything happening to the store. */
export class TcpProxy {
  /** Is shown all that clients send, in order; set it before they connect. */
  onSent: (client: Socket, chunk: Buffer) => void = () => undefined;
  private readonly sockets = new Set<Socket>();
  private readonly stranded = new Set<Socket>();
  private readonly server: Server;
  private port = 0;
  private hanging = false;
  private delayMs = 0;
  private trap: { readonly moment: Moment; readonly sprung: () => void } | undefined;

  /** @param readdresses whether the store tells its own address, for which the proxy puts its own */
  constructor(
    private readonly target: { readonly host: string; readonly port: number },
    private readonly readdresses = false,
  ) {
    this.server = createServer((socket) => this.join(socket));
  }

  /** Opens one before the store that the URL names; before MongoDB, it is the only way to a set of one member. */
  static async before(url: string): Promise<TcpProxy> {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== 'mongodb:') return new TcpProxy({ host: hostname, port: Number(port) }).open();
    const set = await ReplicaSet.start({ members: 1 });
    return new TcpProxy({ host: hostname, port: Number(set.view.hosts[0]!.split(':')[1]) }, true).open();
  }

  /** How many connections clients hold. */
  get connections(): number {
    return this.sockets.size / 2;
  }

  /** Where it listens, in place of the address in the URL. */
  urlFor(url: string): string {
    const own = new URL(url);
    own.host = `127.0.0.1:${this.port}`;
    return own.href;
  }

  /** The same for MongoDB. Its members say where they listen, which the proxy replaces by its own address. */
  storeUri(mongodbUri: string): string {
    return this.urlFor(mongodbUri);
  }

  /** Lets connections in, at the same port each time. */
  async open(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (this.server.address() as AddressInfo).port;
    if (this.readdresses && this.address(this.port).length !== this.address(this.target.port).length) {
      throw new Error('the proxy needs a port with as many digits as the store’s');
    }
    return this;
  }

  /** Cuts every connection and refuses new ones. */
  async away(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cut();
    await closed;
  }

  /** Cuts every connection, with what is held back of it; new ones are let in. */
  cut(): void {
    for (const socket of [...this.sockets, ...this.stranded]) socket.destroy();
  }

  /** Keeps connections, and lets new ones in, but passes nothing on; what is held back is passed on afterwards. */
  hang(hanging: boolean): void {
    this.hanging = hanging;
    for (const socket of this.sockets) this.pauseOrResume(socket);
  }

  /** The connections that are open are dead without a word, as after a firewall forgot them; new ones are as ever. */
  strand(): void {
    for (const socket of this.sockets) {
      socket.pause();
      this.stranded.add(socket);
    }
    this.sockets.clear();
  }

  /** Hangs at the moment, once. Resolves when it came. */
  hangAt(moment: Moment): Promise<void> {
    return new Promise((sprung) => (this.trap = { moment, sprung }));
  }

  /** Passes everything on that much later, each way. @param delayMs milliseconds; 0 ends it */
  slow(delayMs: number): void {
    this.delayMs = delayMs;
  }

  private join(socket: Socket): void {
    const upstream = connect(this.target);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      const write = this.writer(to);
      this.sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        if (from === socket) this.onSent(socket, chunk);
        if (from === upstream) write(this.readdressed(chunk));
        else if (!this.springs(chunk)) write(chunk);
        else if (this.spring().passed === true) write(chunk);
        else from.unshift(chunk);
      });
      from.on('error', () => from.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        this.stranded.delete(from);
        to.destroy();
      });
      this.pauseOrResume(from);
    }
  }

  /** Writes in order, each chunk as late as is said when it comes. */
  private writer(to: Socket): (chunk: Buffer) => void {
    let last = Promise.resolve();
    let waiting = 0;
    return (chunk) => {
      if (this.delayMs === 0 && waiting === 0) {
        to.write(chunk);
        return;
      }
      waiting += 1;
      const due = new Promise((resolve) => setTimeout(resolve, this.delayMs));
      last = Promise.all([last, due]).then(() => {
        waiting -= 1;
        if (to.writable) to.write(chunk);
      });
    };
  }

  private address(port: number): Buffer {
    return Buffer.from(`${this.target.host}:${port}`);
  }

  /** Puts the proxy's address in the place of the store's, of the same length, where a store tells its own. */
  private readdressed(chunk: Buffer): Buffer {
    if (!this.readdresses) return chunk;
    const own = this.address(this.target.port);
    for (let at = chunk.indexOf(own); at >= 0; at = chunk.indexOf(own, at + 1)) {
      this.address(this.port).copy(chunk, at);
    }
    return chunk;
  }

  private springs(chunk: Buffer): boolean {
    return this.trap !== undefined && chunk.includes(this.trap.moment.text);
  }

  private spring(): Moment {
    const { moment, sprung } = this.trap!;
    this.trap = undefined;
    this.hang(true);
    sprung();
    return moment;
  }

  private pauseOrResume(socket: Socket): void {
    if (this.hanging) socket.pause();
    else socket.resume();
  }
}
