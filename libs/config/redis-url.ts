/** One Redis server, or one Sentinel. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** The address of Redis, parsed from REDIS_URL. */
export interface RedisAddress {
  /** One server, a server that Sentinels name, or a Redis Cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** The server, the Sentinels, or seed nodes of the cluster. */
  readonly nodes: readonly RedisNode[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The name under which the Sentinels know the master. */
  readonly masterName: string | undefined;
  readonly database: number;
}

const FORM = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/;
const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;
const ADVICE =
  'REDIS_URL must be redis://host:port/number, redis+sentinel://host:port,host:port/master-name, or ' +
  'redis+cluster://host:port,host:port; rediss for TLS';

/**
 * Reads a Redis URL. IPv6 addresses are in brackets.
 *
 * @throws Error that says what is wrong. Repeats no part of the URL, because it may contain a password
 */
export function parseRedisUrl(text: string): RedisAddress {
  const [, scheme, mode, userInfo, hosts, path = ''] = FORM.exec(text) ?? [];
  if (scheme === undefined || hosts === undefined) throw new Error(ADVICE);
  const kind = (mode ?? 'single') as RedisAddress['kind'];
  const nodes = hosts.split(',').map((host) => parseNode(host, DEFAULT_PORTS[kind]));
  if (kind === 'single' && nodes.length > 1)
    throw new Error(`REDIS_URL: several hosts need redis+sentinel:// or redis+cluster://. ${ADVICE}`);
  const [username, password] = parseUserInfo(userInfo);
  const [masterName, database] = kind === 'sentinel' ? parseMaster(path) : [undefined, parseDatabase(path)];
  if (kind === 'cluster' && database !== 0)
    throw new Error('REDIS_URL: a Redis Cluster has only database 0. Remove the number');
  return { kind, tls: scheme === 'rediss', nodes, username, password, masterName, database };
}

function parseNode(text: string, defaultPort: number): RedisNode {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535)
    throw new Error(`REDIS_URL has an invalid host or port. ${ADVICE}`);
  return { host, port: number };
}

function parseUserInfo(text: string | undefined): [string | undefined, string | undefined] {
  if (text === undefined || text === '') return [undefined, undefined];
  const [username = '', ...password] = text.split(':').map(decode);
  return [username === '' ? undefined : username, password.length === 0 ? undefined : password.join(':')];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('REDIS_URL has a % in its user name or password that is not encoded: write it as %25');
  }
}

function parseMaster(path: string): [string, number] {
  const [name = '', database = ''] = path.split('/');
  if (name === '') throw new Error(`REDIS_URL has no master name. ${ADVICE}`);
  return [decode(name), parseDatabase(database)];
}

function parseDatabase(path: string): number {
  if (!/^\d{0,5}$/.test(path))
    throw new Error('REDIS_URL: the path must be the number of a Redis database (0 to 99999), or empty');
  return Number(path);
}
