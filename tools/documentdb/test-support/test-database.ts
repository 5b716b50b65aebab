import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import type { Connection } from 'mongoose';
import { whyNoPackages } from '../../local-stores/debian.ts';
import { ledgerFile } from '../../local-stores/index.ts';
import { Ledger } from '../../local-stores/ledger.ts';
import { Gateway } from '../../../packages/documentdb-gateway/gateway.ts';
import type { GatewayOptions } from '../../../packages/documentdb-gateway/gateway.ts';
import { imageIsReady } from '../image.ts';
import { POSTGRES_PORT, withClient } from '../postgres-server.ts';
import { startDatabase } from '../start.ts';

/** Why the gateway cannot be tested here, or null if it can: it has no use where there is no Debian either. */
export const whyNoGateway = imageIsReady() && process.getuid?.() === 0 ? null : whyNoPackages();

/** PostgreSQL's connections that hold a transaction open. */
export const OPEN_TRANSACTIONS = `SELECT pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'`;

/** A database of a spec's own, with the gateway before it in this process. */
export interface TestDatabase {
  readonly uri: string;
  /** where PostgreSQL's socket lies */
  readonly socketFolder: string;
  /** Asks PostgreSQL itself; answers rows as arrays. */
  readonly sql: (text: string) => Promise<unknown[][]>;
  /** A connection of mongoose's to a database of this name. */
  readonly connect: (name: string) => Promise<Connection>;
  readonly stop: () => Promise<void>;
}

/** Starts one; `stop` ends it and removes its data. */
export async function startTestDatabase(options?: GatewayOptions): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-test-'));
  const ledger = new Ledger(ledgerFile(folder));
  ledger.addEphemeral(folder);
  const say = (): void => undefined;
  const host = await startDatabase({ dataFolder: folder, binariesFolder: folder, durable: false, ledger, say });
  const gateway = new Gateway({ host, port: POSTGRES_PORT }, undefined, options);
  const uri = `mongodb://127.0.0.1:${await gateway.listen(0)}/`;
  const connections: Connection[] = [];
  const sql = (text: string): Promise<unknown[][]> =>
    withClient(host, async (client) => (await client.query<unknown[]>({ text, rowMode: 'array' })).rows);
  return {
    uri,
    socketFolder: host,
    sql,
    connect: async (name) => {
      const connection = await mongoose.createConnection(uri + name, { serverSelectionTimeoutMS: 15_000 }).asPromise();
      connections.push(connection);
      return connection;
    },
    stop: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await gateway.close();
      await ledger.close();
    },
  };
}
