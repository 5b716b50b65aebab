import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Api } from './api.ts';
import { latchkey } from './command-line.ts';
import type { CommandResult } from './command-line.ts';
import { OAuthWorld } from './oauth-world.ts';
import { Service, eventually } from './service.ts';

const RECHECK_LIMIT_MS = 90_000;

interface Readiness {
  readonly code: number;
  readonly status: string;
  readonly problems: readonly { readonly code: string; readonly detail: string }[];
}

/** Instances that share a folder of tombstones, and the operator beside them. */
export class TombstoneWorld {
  private constructor(
    readonly folder: string,
    private current: OAuthWorld,
  ) {}

  static async start(instances = 1): Promise<TombstoneWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-tombstones-'));
    const env = { LATCHKEY_TOMBSTONE_DIR: folder };
    return new TombstoneWorld(folder, await OAuthWorld.start(instances, { env }));
  }

  /** The service as its callers see it. A start of another instance replaces it. */
  get oauth(): OAuthWorld {
    return this.current;
  }

  get api(): Api {
    return this.current.api;
  }

  /** Starts an instance that need not become ready, on an address of its own. */
  async startUnready(): Promise<void> {
    const options = { env: { LATCHKEY_TOMBSTONE_DIR: this.folder }, awaitReady: false };
    this.current = this.current.movedTo(await new Service(this.current.service.database, options).start());
  }

  async restart(): Promise<void> {
    await this.current.service.stop();
    await this.startUnready();
  }

  async readyz(): Promise<Readiness> {
    const answer = await fetch(`${this.current.url}/readyz`);
    return { code: answer.status, ...((await answer.json()) as Omit<Readiness, 'code'>) };
  }

  async isReady(): Promise<boolean> {
    return (await this.readyz()).status === 'ok';
  }

  async becomesReady(): Promise<void> {
    await eventually(() => this.isReady(), RECHECK_LIMIT_MS);
  }

  async gets(code: string): Promise<void> {
    const isThere = async (): Promise<boolean> => (await this.readyz()).problems.some((one) => one.code === code);
    await eventually(isThere, RECHECK_LIMIT_MS);
  }

  run(...args: string[]): Promise<CommandResult> {
    return latchkey(this.current.service.database, args, { LATCHKEY_TOMBSTONE_DIR: this.folder });
  }

  files(): string[] {
    return readdirSync(this.folder).map((name) => join(this.folder, name));
  }

  lines(): string[] {
    return this.files().flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'));
  }

  /** Removes the lines of the only file after these, as if the process had been killed before it wrote them. */
  cutOff(after: number): void {
    const [file] = this.files() as [string];
    const kept = readFileSync(file, 'utf8').split('\n').slice(0, after);
    writeFileSync(file, `${kept.join('\n')}\n`);
  }

  async stop(): Promise<void> {
    await this.current.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
