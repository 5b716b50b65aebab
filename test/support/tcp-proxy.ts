import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { ReplicaSet } from './replica-set.ts';

/** A moment to hang at: when these bytes are about to go to the store, or when they have just gone there. */
export interface Moment {
  readonly text: string;
  /** Whether the store still gets these bytes; then the answer is held back. */
  readonly passed?: boolean;
}

/** A proxy in front of a store that can be unavailable, hang or be slow, without affecting the store. */
export class TcpProxy {
  /** Receives everything that clients send, in order; set it before they connect. */
  onSent: (client: Socket, chunk: Buffer) => void = () => undefined;
  private readonly sockets = new Set<Socket>();
  private readonly stranded = new Set<Socket>();
  private readonly server: Server;
  private port = 0;
  private hanging = false;
  private delayMs = 0;
  private trap: { readonly moment: Moment; readonly sprung: () => void } | undefined;

  /** Member addresses in MongoDB's answers, and the proxies' addresses that replace them. */
  private replacements: readonly (readonly [from: Buffer, to: Buffer])[] = [];

  constructor(private readonly target: { readonly host: string; readonly port: number }) {
    this.server = createServer((socket) => this.join(socket));
  }

  /** Opens one in front of the store at the URL; for MongoDB, in front of a set of one member. */
  static async before(url: string): Promise<TcpProxy> {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== 'mongodb:') return new TcpProxy({ host: hostname, port: Number(port) }).open();
    const set = await ReplicaSet.start({ members: 1 });
    const [proxy] = await TcpProxy.beforeMembers(set.view.hosts);
    return proxy!;
  }

  /** Opens one in front of each member of a replica set. Clients see only the proxies' addresses. */
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

  /** The URL with the proxy's address. */
  urlFor(url: string): string {
    const own = new URL(url);
    own.host = this.host;
    return own.href;
  }

  /** The same for MongoDB, whose members announce their addresses: the proxy replaces these by its own. */
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

  /** Cuts every connection and drops held-back data; new connections are accepted. */
  cut(): void {
    for (const socket of [...this.sockets, ...this.stranded]) socket.destroy();
  }

  /** Keeps and accepts connections, but forwards nothing; held-back data are forwarded afterwards. */
  hang(hanging: boolean): void {
    this.hanging = hanging;
    for (const socket of this.sockets) this.pauseOrResume(socket);
  }

  /** Open connections silently stop working, as after a firewall dropped their state; new ones work. */
  strand(): void {
    for (const socket of this.sockets) {
      socket.pause();
      this.stranded.add(socket);
    }
    this.sockets.clear();
  }

  /** Hangs at that moment, once. Resolves when it has come. */
  hangAt(moment: Moment): Promise<void> {
    return new Promise((sprung) => (this.trap = { moment, sprung }));
  }

  /** Delays everything, each way. @param delayMs milliseconds; 0 ends it */
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

  /** Writes in order, each chunk with the delay that applied when it arrived. */
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

  /** Replaces the members' addresses in answers by the proxies', which have the same length. */
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
