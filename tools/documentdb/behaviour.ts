/**
 * The gateway's flags for strictness and latency. Tests run against a stand-in as strict as MongoDB, unless told
 * otherwise; `npm start` is for looking around, where a killed process should not keep its transactions for a minute.
 *
 * @param durable whether the data are kept, as those of `npm start`; those of tests are not
 */
export function behaviourFlags(env: NodeJS.ProcessEnv, durable: boolean): string[] {
  const flags: string[] = [];
  if ((env['LATCHKEY_STORE_STRICT'] ?? (durable ? '0' : '1')) === '1') flags.push('--strict');
  const { LATCHKEY_STORE_RTT_MS: rttMs, LATCHKEY_STORE_COMMIT_MS: commitMs } = env;
  if (rttMs !== undefined) flags.push('--rtt-ms', rttMs);
  if (commitMs !== undefined) flags.push('--commit-ms', commitMs);
  return flags;
}
