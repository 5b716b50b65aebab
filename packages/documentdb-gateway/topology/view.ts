import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Member } from './member.ts';
import type { ReplicaSet } from './replica-set.ts';

/** Where a connection arrived: at which member, through which view. */
export interface Endpoint {
  readonly view: View;
  readonly member: Member;
}

/**
 * One group of clients' access to the members: a port for each. What the members say of their addresses is this
 * view's, so its clients stay in it, and a partition can cut off one group of clients and not another.
 */
export class View {
  readonly id: string;
  readonly set: ReplicaSet;
  #ports: number[] = [];
  readonly #servers: Server[];
  readonly #sockets = new Map<Socket, Member>();
  readonly #cutOff = new Set<Member>();

  /** @param accept is given each connection */
  constructor(id: string, set: ReplicaSet, accept: (socket: Socket, endpoint: Endpoint) => void) {
    this.id = id;
    this.set = set;
    this.#servers = set.members.map((member) =>
      createServer({ noDelay: true }, (socket) => {
        if (this.#cutOff.has(member) || member.state === 'down') {
          socket.destroy();
          return;
        }
        this.#sockets.set(socket, member);
        socket.on('close', () => this.#sockets.delete(socket));
        accept(socket, { view: this, member });
      }),
    );
  }

  get hosts(): readonly string[] {
    return this.#ports.map((port) => `127.0.0.1:${port}`);
  }

  /**
   * Starts to listen on 127.0.0.1.
   * @param firstPort of the first member; 0 for any free one
   */
  async listen(firstPort: number): Promise<void> {
    this.#ports = await Promise.all(
      this.#servers.map((server, index) => listenOn(server, index === 0 ? firstPort : 0)),
    );
  }

  /** Cuts this view's clients off from these members, and connects them to the others. */
  partition(members: readonly Member[]): void {
    this.#cutOff.clear();
    for (const member of members) {
      this.#cutOff.add(member);
      this.disconnect(member);
    }
  }

  /** Closes the connections to a member. */
  disconnect(member: Member): void {
    for (const [socket, of] of this.#sockets) if (of === member) socket.destroy();
  }

  /** Stops listening; the connections end when what they were last sent has gone out. */
  async close(): Promise<void> {
    const closed = Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    for (const socket of this.#sockets.keys()) socket.destroySoon();
    const late = setTimeout(() => {
      for (const socket of this.#sockets.keys()) socket.destroy();
    }, 500);
    await closed;
    clearTimeout(late);
  }
}

async function listenOn(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
