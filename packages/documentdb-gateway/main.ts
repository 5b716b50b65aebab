// The gateway as a process of its own: node main.ts --postgres-host H --postgres-port P [--port Q]
//   [--members N]  a replica set of N members; 1 if left out
//   [--control]    serves the control of the topology, for tests
//   --strict                      transactions as MongoDB's, not as is convenient (README.md)
//   --transaction-lifetime-seconds S   with --strict: MongoDB's transactionLifetimeLimitSeconds
//   --rtt-ms R --commit-ms C      how long a command's round trip and a majority's acknowledgement take
//   [--users SCRIPT --passwords FILE]  users sign in: the administrator, and those that the script makes
// It writes {"port":Q} on stdout when it listens, and ends at SIGTERM, SIGINT or the end of its standard input, that
// is also when the process that started it was killed.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AccessControl } from './access/access-control.ts';
import type { Passwords } from './access/users-script.ts';
import { Gateway } from './gateway.ts';

const { values } = parseArgs({
  options: {
    'postgres-host': { type: 'string', default: '127.0.0.1' },
    'postgres-port': { type: 'string', default: '5432' },
    port: { type: 'string', default: '0' },
    members: { type: 'string', default: '1' },
    users: { type: 'string' },
    passwords: { type: 'string' },
    control: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    'transaction-lifetime-seconds': { type: 'string', default: '60' },
    'rtt-ms': { type: 'string', default: '0' },
    'commit-ms': { type: 'string', default: '0' },
    verbose: { type: 'boolean', default: false },
  },
});

const { users, passwords } = values;
const gateway = new Gateway(
  { host: values['postgres-host'], port: Number(values['postgres-port']) },
  values.verbose ? (line) => console.error(line) : undefined,
  {
    strict: values.strict,
    lifetimeMs: Number(values['transaction-lifetime-seconds']) * 1000,
    rttMs: Number(values['rtt-ms']),
    commitMs: Number(values['commit-ms']),
  },
  users === undefined || passwords === undefined
    ? null
    : new AccessControl(users, JSON.parse(readFileSync(passwords, 'utf8')) as Passwords),
);
if (values.control) await gateway.listenForControl();
const port = await gateway.listen(Number(values.port), Number(values.members));
console.log(JSON.stringify({ port }));

let closing = false;
const close = (): void => {
  if (closing) return;
  closing = true;
  setTimeout(() => process.exit(1), 10_000).unref();
  void gateway.close().then(() => process.exit(0));
};
process.on('SIGTERM', close);
process.on('SIGINT', close);
process.stdin.on('end', close).on('error', close).resume();
