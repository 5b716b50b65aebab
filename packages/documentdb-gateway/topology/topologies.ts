import type { Socket } from 'node:net';
import type { Pool } from 'pg';
import { MongoError } from '../errors.ts';
import type { Member } from './member.ts';
import { ReplicaSet } from './replica-set.ts';
import type { SetShape } from './replica-set.ts';
import { View } from './view.ts';
import type { Endpoint } from './view.ts';

/** The set that clients get which ask for none. */
export const DEFAULT_SET = 'default';

interface Deployment {
  readonly set: ReplicaSet;
  readonly views: Map<string, View>;
}

/** What the deployments need of the gateway. */
export interface TopologyHooks {
  /** a client connected */
  readonly accept: (socket: Socket, endpoint: Endpoint) => void;
  /** a member is no primary any more */
  readonly lostPrimary: (member: Member) => Promise<void>;
}

/** The deployments that stand before the one database: each has its own members, elections, clock and views. */
export class Topologies {
  readonly #deployments = new Map<string, Deployment>();
  readonly #snapshots: Pool;
  readonly #hooks: TopologyHooks;
  #nextId = 1;

  constructor(snapshots: Pool, hooks: TopologyHooks) {
    this.#snapshots = snapshots;
    this.#hooks = hooks;
  }

  /**
   * Makes a deployment and its first view.
   * @param port of the first member; 0 for any free one
   */
  async create(id: string | null, shape: SetShape, port = 0): Promise<View> {
    const views = new Map<string, View>();
    const set = new ReplicaSet(id ?? `set-${this.#nextId++}`, shape, this.#snapshots, {
      lostPrimary: this.#hooks.lostPrimary,
      ended: (member) => {
        for (const view of views.values()) view.disconnect(member);
      },
    });
    this.#deployments.set(set.id, { set, views });
    return this.addView(set.id, port);
  }

  /** Opens another group of ports before a set's members. */
  async addView(setId: string, port = 0): Promise<View> {
    const { set, views } = this.#deployment(setId);
    const view = new View(`view-${this.#nextId++}`, set, this.#hooks.accept);
    await view.listen(port);
    views.set(view.id, view);
    return view;
  }

  set(setId: string): ReplicaSet {
    return this.#deployment(setId).set;
  }

  view(setId: string, viewId: string): View {
    const view = this.#deployment(setId).views.get(viewId);
    if (!view) throw new MongoError(2, 'BadValue', `the set ${setId} has no view ${viewId}`);
    return view;
  }

  /** Ends a deployment and the connections to it. The data stay. */
  async remove(setId: string): Promise<void> {
    const { set, views } = this.#deployment(setId);
    this.#deployments.delete(setId);
    await Promise.all([...views.values()].map((view) => view.close()));
    await set.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#deployments.keys()].map((id) => this.remove(id)));
  }

  #deployment(setId: string): Deployment {
    const deployment = this.#deployments.get(setId);
    if (!deployment) throw new MongoError(2, 'BadValue', `there is no set ${setId}`);
    return deployment;
  }
}
