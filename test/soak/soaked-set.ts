import type { TestDatabase } from '../support/database.ts';
import type { Random } from '../support/event-log/mutations.ts';
import { ReplicaSet } from '../support/replica-set.ts';
import type { SetView } from '../support/replica-set.ts';
import { eventually } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { connectionFaults } from './connection-faults.ts';
import type { Fault } from './lane.ts';

const VIEWS = 2;
const MAX_GAP_MS = 2_000;
const MAX_SKEW_MS = 4_000;

/** One instance's route to the replica set: a proxy in front of each member. */
interface Way {
  readonly view: SetView;
  readonly proxies: readonly TcpProxy[];
}

/** The replica set of a soak. Each instance has its own route to it, so that a partition can cut off one of them. */
export class SoakedSet {
  private constructor(
    private readonly database: TestDatabase,
    private readonly set: ReplicaSet,
    private readonly ways: readonly Way[],
  ) {}

  static async start(database: TestDatabase): Promise<SoakedSet> {
    const set = await ReplicaSet.start();
    const views = [set.view];
    while (views.length < VIEWS) views.push(await set.addView());
    const ways = views.map(async (view) => ({ view, proxies: await TcpProxy.beforeMembers(view.hosts) }));
    return new SoakedSet(database, set, await Promise.all(ways));
  }

  /** `MONGODB_URI` of an instance, counted from 0. */
  uri(instance: number): string {
    const { view, proxies } = this.ways[instance]!;
    return view.hosts.reduce(
      (uri, host, member) => uri.replace(host, proxies[member]!.host),
      view.uri(this.database.uri),
    );
  }

  /** Faults of the connections of all instances to all members. */
  connectionFaults(random: Random): Fault[] {
    return connectionFaults(
      this.ways.flatMap(({ proxies }) => proxies),
      random,
    );
  }

  /** Elections, crashes, partitions and wrong clocks of the members. */
  memberFaults(random: Random): Fault[] {
    const gapMs = (): number => 100 + random(MAX_GAP_MS);
    let member = 0;
    let cutOff = this.ways[0]!.view;
    const another = (than: number): number => (than + 1 + random(2)) % 3;
    return [
      { name: 'steps down', begin: () => this.set.stepDown(gapMs()), end: () => this.primary() },
      {
        name: 'primary crashed',
        begin: async () => this.set.crash((member = await this.primary()), gapMs()),
        end: () => this.set.restart(member),
      },
      {
        name: 'primary shut down',
        begin: async () => this.set.shutDown((member = await this.primary()), { gapMs: gapMs() }),
        end: () => this.set.restart(member),
      },
      {
        name: 'primary deposed without noticing, and the only one that an instance sees',
        begin: async () => {
          member = await this.primary();
          const next = another(member);
          cutOff = this.ways[random(VIEWS)]!.view;
          await cutOff.partition(...[0, 1, 2].filter((other) => other !== member));
          await this.set.elect(next, { oldStays: true });
        },
        end: async () => {
          await this.set.release(member);
          await cutOff.partition();
        },
      },
      {
        name: 'primary fresh, without a commit of its own',
        begin: async () => {
          member = another(await this.primary());
          await this.set.freeze(member);
          await this.set.elect(member);
        },
        end: () => this.set.release(member),
      },
      {
        name: 'partition between an instance and a member',
        begin: () => (cutOff = this.ways[random(VIEWS)]!.view).partition(random(3)),
        end: () => cutOff.partition(),
      },
      {
        name: 'wrong clock',
        begin: async () => this.set.skew((member = await this.primary()), random(2 * MAX_SKEW_MS) - MAX_SKEW_MS),
        end: () => this.set.skew(member, 0),
      },
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.ways.flatMap(({ proxies }) => proxies).map((proxy) => proxy.away()));
    await this.set.stop();
  }

  /** Waits out an election. */
  private async primary(): Promise<number> {
    let index = -1;
    await eventually(async () => {
      const { primary } = await this.set.state();
      index = primary ?? -1;
      return primary !== null;
    });
    return index;
  }
}
