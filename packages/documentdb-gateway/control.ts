import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SetShape } from './topology/replica-set.ts';
import type { Placement } from './topology/sharding.ts';
import type { Topologies } from './topology/topologies.ts';

/** What a test may ask for. Members are numbered from 0; `set` and `view` are ids from earlier answers. */
export type ControlRequest =
  | ({ readonly action: 'create-set' } & Partial<SetShape>)
  | { readonly action: 'remove-set'; readonly set: string }
  | { readonly action: 'add-view'; readonly set: string }
  | { readonly action: 'partition'; readonly set: string; readonly view: string; readonly members: number[] }
  | { readonly action: 'state'; readonly set: string }
  | { readonly action: 'step-down'; readonly set: string; readonly gapMs: number }
  | { readonly action: 'elect'; readonly set: string; readonly member: number; readonly oldStays: boolean }
  | { readonly action: 'freeze' | 'release' | 'restart'; readonly set: string; readonly member: number }
  | { readonly action: 'crash'; readonly set: string; readonly member: number; readonly gapMs: number }
  | {
      readonly action: 'shut-down';
      readonly set: string;
      readonly member: number;
      readonly noticeMs: number;
      readonly gapMs: number;
    }
  | {
      readonly action: 'place';
      readonly set: string;
      readonly database: string;
      readonly collection: string;
      readonly placement: Placement;
    }
  | { readonly action: 'skew'; readonly set: string; readonly member: number; readonly ms: number };

/** Where a view's clients connect. */
export interface ViewAddress {
  readonly set: string;
  readonly view: string;
  readonly hosts: readonly string[];
}

/** A set as it is, whatever its members believe. */
export interface SetState {
  readonly primary: number | null;
  readonly members: readonly { readonly state: string; readonly frozen: boolean; readonly deposed: boolean }[];
}

const DEFAULT_SHAPE: SetShape = { persona: 'replica-set', members: 3 };

/** Serves the topology's control to tests: JSON over HTTP, on 127.0.0.1. */
export class ControlServer {
  readonly #topologies: Topologies;
  readonly #server: Server;

  constructor(topologies: Topologies) {
    this.#topologies = topologies;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** @returns the port */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? null));
    };
    try {
      // a page in a browser cannot send this type to another origin without asking
      if (request.headers['content-type'] !== 'application/json') {
        answer(415, { error: 'send application/json' });
        return;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as ControlRequest;
      answer(200, await perform(this.#topologies, asked));
    } catch (error) {
      answer(400, { error: error instanceof Error ? error.message : String(error) });
    }
  }
}

async function perform(topologies: Topologies, asked: ControlRequest): Promise<unknown> {
  switch (asked.action) {
    case 'create-set': {
      const { action: _, ...shape } = asked;
      return addressOf(await topologies.create(null, { ...DEFAULT_SHAPE, ...shape }));
    }
    case 'remove-set':
      return topologies.remove(asked.set);
    case 'add-view':
      return addressOf(await topologies.addView(asked.set));
    case 'partition': {
      const view = topologies.view(asked.set, asked.view);
      view.partition(asked.members.map((index) => view.set.member(index)));
      return null;
    }
    default:
      return performOnSet(topologies, asked);
  }
}

type SetRequest = Exclude<ControlRequest, { action: 'create-set' | 'remove-set' | 'add-view' | 'partition' }>;

function performOnSet(topologies: Topologies, asked: SetRequest): unknown {
  const set = topologies.set(asked.set);
  switch (asked.action) {
    case 'state':
      return {
        primary: set.primary?.index ?? null,
        members: set.members.map((member) => ({
          state: member.state,
          frozen: member.frozen !== null,
          deposed: set.isDeposed(member),
        })),
      } satisfies SetState;
    case 'step-down':
      return set.stepDown(asked.gapMs);
    case 'elect':
      return set.elect(asked.member, asked.oldStays);
    case 'freeze':
      return set.freeze(asked.member);
    case 'release':
      return set.release(asked.member);
    case 'restart':
      return set.restart(asked.member);
    case 'crash':
      return set.crash(asked.member, asked.gapMs);
    case 'shut-down':
      return set.shutDown(asked.member, asked.noticeMs, asked.gapMs);
    case 'place':
      set.sharding.place(`${asked.database}.${asked.collection}`, asked.placement);
      return null;
    case 'skew':
      set.skew(asked.member, asked.ms);
      return null;
  }
}

function addressOf({ id, set, hosts }: { id: string; set: { id: string }; hosts: readonly string[] }): ViewAddress {
  return { set: set.id, view: id, hosts };
}
