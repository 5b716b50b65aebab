import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestDatabase } from '../support/database.ts';
import { seededRandom } from '../support/event-log/mutations.ts';
import { eventually } from '../support/service.ts';
import { Traffic } from '../support/traffic.ts';
import { Auditor } from './auditor.ts';
import { runLane } from './lane.ts';
import type { Happened, Lane } from './lane.ts';
import { SoakedInstance } from './soaked-instance.ts';
import { SoakedStores } from './soaked-stores.ts';
import { byStatus, listed } from './summary.ts';
import type { Outcome } from './summary.ts';
import { unfinished, wrongInStore } from './verdict.ts';
import type { Verified } from './verdict.ts';

const CALLERS = 10;
const PAUSE_MS = 60;
const TELL_EVERY_MS = 15_000;
/** After this time without faults, every request in progress has been answered. */
const ANSWERED_LIMIT_MS = 60_000;
/** Share of requests that are sent without checking which instances run. */
const UNLUCKY = 0.1;
const TTLS_SECONDS = [60, 90, 3600];

export interface SoakOptions {
  readonly minutes: number;
  /** Chooses the faults. */
  readonly seed: number;
  /** Receives progress, one line at a time. */
  readonly say: (line: string) => void;
}

/** Two instances and their stores under random faults, while users and clients keep working. */
export class Soak {
  private readonly violations: string[] = [];
  private readonly happened: Happened = { faults: {}, now: new Set(), say: (line) => this.say(line) };
  private readonly database = new TestDatabase();
  private readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-soak-'));
  private instances: SoakedInstance[] = [];
  private startedAtMs = 0;
  /** Violations that were reported. */
  private told = new Set<string>();

  constructor(private readonly options: SoakOptions) {}

  /** Runs the soak, and removes its data. */
  async run(): Promise<Outcome> {
    const stores = await SoakedStores.start(this.database);
    try {
      return await this.soak(stores);
    } finally {
      await Promise.all(this.instances.map((instance) => instance.discard()));
      await this.database.drop();
      await stores.stop();
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private async soak(stores: SoakedStores): Promise<Outcome> {
    const { seed, minutes } = this.options;
    const files = this.files();
    this.instances = [0, 1].map((index) => {
      const env = { ...stores.env(index), ...files };
      return new SoakedInstance(`instance ${index + 1}`, this.database, env, this.violations);
    });
    for (const instance of this.instances) {
      await instance.start();
      await instance.ready();
    }
    const url = (): string => this.someUrl();
    const shared = { database: this.database, redisUrl: stores.redis.url, violations: this.violations };
    const auditor = new Auditor({ ...shared, url, random: seededRandom(seed) });
    const traffic = await new Traffic({
      url,
      callers: CALLERS,
      borne: [0, 503],
      pauseMs: PAUSE_MS,
      tokenTtlSeconds: () => TTLS_SECONDS[Math.floor(Math.random() * TTLS_SECONDS.length)]!,
    }).prepare();
    await this.underFaults(stores, traffic, auditor);
    const verified = await this.afterwards(stores, traffic, auditor);
    return {
      seed,
      minutes,
      faults: this.happened.faults,
      requests: traffic.counts,
      auditor: auditor.counts,
      errors: this.instances.flatMap(({ errors }) => errors),
      slowestMs: traffic.slowestMs,
      askedOfDead: traffic.askedOfDead,
      verified,
      violations: [...this.violations, ...traffic.violations],
    };
  }

  /** The signing key, and the archive folder for events older than a day. */
  private files(): Record<string, string> {
    const key = join(this.folder, 'signing-key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const archive = join(this.folder, 'archive');
    mkdirSync(archive);
    return {
      LATCHKEY_SIGNING_KEY_FILE: key,
      EVENT_RETENTION_DAYS: '1',
      EVENT_ARCHIVE_DIR: archive,
      EVENT_RETENTION_MONGODB_URI: this.database.retentionUri,
    };
  }

  /** Like a load balancer: usually a running instance, sometimes any. */
  private someUrl(): string {
    const there = this.instances.filter(({ away }) => !away);
    const from = there.length === 0 || Math.random() < UNLUCKY ? this.instances : there;
    return from[Math.floor(Math.random() * from.length)]!.url;
  }

  private lanes(stores: SoakedStores): Lane[] {
    const random = (lane: number): ReturnType<typeof seededRandom> => seededRandom(this.options.seed * 10 + lane);
    const [ofMongo, ofRedis, ofMembers] = [random(1), random(2), random(5)];
    return [
      { name: 'MongoDB', faults: stores.mongoFaults(ofMongo), random: ofMongo },
      { name: 'replica set', faults: stores.memberFaults(ofMembers), random: ofMembers },
      { name: 'Redis', faults: stores.redisFaults(ofRedis), random: ofRedis },
      ...this.instances.map((instance, index) => {
        const own = random(3 + index);
        return { name: instance.name, faults: instance.faults(own), random: own };
      }),
    ];
  }

  private async underFaults(stores: SoakedStores, traffic: Traffic, auditor: Auditor): Promise<void> {
    this.startedAtMs = performance.now();
    const endAtMs = this.startedAtMs + this.options.minutes * 60_000;
    const telling = setInterval(() => this.tell(traffic), TELL_EVERY_MS);
    traffic.start();
    try {
      const lanes = this.lanes(stores).map((lane) => runLane(lane, endAtMs, this.happened));
      const ended = await Promise.allSettled([...lanes, auditor.run(endAtMs)]);
      for (const lane of ended) if (lane.status === 'rejected') this.violations.push(String(lane.reason));
      this.say('all faults are lifted');
      await this.becomesReady();
      const stopped = traffic.stop().then(() => true);
      await eventually(
        () => Promise.race([stopped, new Promise<false>((not) => setImmediate(not, false))]),
        ANSWERED_LIMIT_MS,
      ).catch(() => {
        this.violations.push('requests are not answered, long after the last fault');
      });
    } finally {
      clearInterval(telling);
      this.tell(traffic);
    }
  }

  private async becomesReady(): Promise<void> {
    for (const instance of this.instances) {
      await instance.ready().catch((error: unknown) => {
        this.violations.push(`${instance.name} does not get ready: ${String(error)}`);
      });
    }
  }

  private async afterwards(stores: SoakedStores, traffic: Traffic, auditor: Auditor): Promise<Verified> {
    this.say(`${await traffic.askAboutTheDead()} tokens of deleted credentials were asked about once more`);
    const aftermath = { database: this.database, redisUrl: stores.redis.url, url: this.instances[0]!.url, auditor };
    this.violations.push(...(await unfinished(aftermath)));
    const { faults, verified } = await wrongInStore(aftermath);
    this.violations.push(...faults);
    for (const instance of this.instances) {
      await instance.stop('SIGINT').catch((error: unknown) => this.violations.push(String(error)));
      instance.look();
    }
    return verified;
  }

  private tell(traffic: Traffic): void {
    for (const instance of this.instances) instance.look();
    const faults = Object.values(this.happened.faults).reduce((a, b) => a + b, 0);
    const wrong = [...this.violations, ...traffic.violations];
    const now = [...this.happened.now].join(' + ');
    this.say(`${faults} faults  answers ${listed(byStatus(traffic.counts))}  violations ${wrong.length}  ${now}`);
    for (const violation of wrong.filter((known) => !this.told.has(known))) this.say(`! ${violation}`);
    this.told = new Set(wrong);
  }

  /** Prefixed with the time since faults began. */
  private say(line: string): void {
    const tenths = Math.max(0, Math.floor((performance.now() - this.startedAtMs) / 100));
    const at = `${String(Math.floor(tenths / 600)).padStart(2, '0')}:${((tenths % 600) / 10).toFixed(1).padStart(4, '0')}`;
    this.options.say(`${at}  ${line}`);
  }
}
