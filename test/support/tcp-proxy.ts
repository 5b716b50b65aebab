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

  /** Addresses that a MongoDB tells of its members, and the proxies' to put in their place. */
  private replacements: readonly (readonly [from: Buffer, to: Buffer])[] = [];

  constructor(private readonly target: { readonly host: string; readonly port: number }) {
    this.server = createServer((socket) => this.join(socket));
  }

  /** Opens one before the store that the URL names; before MongoDB, it is the only way to a set of one member. */
  static async before(url: string): Promise<TcpProxy> {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== 'mongodb:') return new TcpProxy({ host: hostname, port: Number(port) }).open();
    const set = await ReplicaSet.start({ members: 1 });
    const [proxy] = await TcpProxy.beforeMembers(set.view.hosts);
    return proxy!;
  }

  /** Opens one before each member of a replica set. Clients get to know the members by the proxies' addresses only. */
  static async beforeMembers(hosts: readonly string[]): Promise<TcpProxy[]> {
    const proxies = await Promise.all(
      hosts.map((address) => {
        const [host = '', port] = address.split(':');
        return new TcpProxy({ host, port: Number(port) }).open();
      }),
    );
    const replacements = hosts.map((address, member) => {
      const own = proxies[member]!.host;
      if (own.length !== address.length) throw new Error('the proxy needs a port with as many digits as the store’s');
      return [Buffer.from(address), Buffer.from(own)] as const;
    });
    for (const proxy of proxies) proxy.replacements = replacements;
    return proxies;
  }

  /** Where it listens. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** How many connections clients hold. */
  get connections(): number {
    return this.sockets.size / 2;
  }

  /** Where it listens, in place of the address in the URL. */
  urlFor(url: string): string {
    const own = new URL(url);
    own.host = this.host;
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

  /** Puts the proxies' addresses in the place of the members', of the same length, where a member tells them. */
  private readdressed(chunk: Buffer): Buffer {
    for (const [from, to] of this.replacements) {
      for (let at = chunk.indexOf(from); at >= 0; at = chunk.indexOf(from, at + 1)) to.copy(chunk, at);
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
