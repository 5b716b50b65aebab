/** Options that the service sets itself, and why it rejects another value. Names in lower case. */
const SET_IN_CODE: ReadonlyMap<string, { readonly accepted: readonly string[]; readonly advice: string }> = new Map(
  [
    [
      'directConnection',
      ['false'],
      'would read a member that is no longer the primary. Name the replica set’s members',
    ],
    ['loadBalanced', ['false'], 'hides which server is the primary. Name the members or the mongos routers'],
    ['readPreference', ['primary'], 'would read members that lag behind a deletion'],
    ['readPreferenceTags', [], 'would read members that lag behind a deletion'],
    ['maxStalenessSeconds', [], 'would read members that lag behind a deletion'],
    ['readConcernLevel', ['majority'], 'would read data that may be rolled back'],
    ['w', ['majority'], 'would acknowledge a deletion that a failover can undo'],
    ['journal', ['true'], 'would acknowledge a deletion that a power cut can undo'],
    ['wtimeoutMS', [], 'would report a change as failed that may still be made'],
    ['retryWrites', ['true'], 'turns each failover into errors'],
    ['retryReads', ['true'], 'turns each failover into errors'],
    ['serverMonitoringMode', ['stream', 'auto'], 'would notice a new primary late'],
    ['timeoutMS', [], 'would abandon commits, whose outcome is then unknown'],
  ].map(([name, accepted, advice]) => [
    (name as string).toLowerCase(),
    { accepted: accepted as readonly string[], advice: advice as string },
  ]),
);

/** Options for addressing, sign-in and encryption. Names in lower case. */
const ACCEPTED: ReadonlySet<string> = new Set(
  [
    'appName',
    'authMechanism',
    'authMechanismProperties',
    'authSource',
    'compressors',
    'proxyHost',
    'proxyPassword',
    'proxyPort',
    'proxyUsername',
    'replicaSet',
    'srvMaxHosts',
    'srvServiceName',
    'ssl',
    'tls',
    'tlsCAFile',
    'tlsCertificateKeyFile',
    'tlsCertificateKeyFilePassword',
    'tlsCRLFile',
    'zlibCompressionLevel',
  ].map((name) => name.toLowerCase()),
);

/**
 * Rejects options of a `mongodb://` URI that weaken a guarantee, and unknown ones. Repeats no value: some are secrets.
 *
 * @param variable the name of the setting, for the texts
 */
export function connectionStringFaults(variable: string, uri: string): string[] {
  const query = uri.slice(uri.indexOf('?') + 1);
  if (query === uri) return [];
  const faults = [...new URLSearchParams(query)].map(([name, value]) => faultOf(variable, name, value));
  return [...new Set(faults.filter((fault) => fault !== undefined))];
}

function faultOf(variable: string, name: string, value: string): string | undefined {
  const rule = SET_IN_CODE.get(name.toLowerCase());
  if (rule === undefined) {
    if (ACCEPTED.has(name.toLowerCase())) return undefined;
    return `${variable}: remove the option ${printableName(name)}. Latchkey sets it itself, or does not support it`;
  }
  if (rule.accepted.includes(value.toLowerCase())) return undefined;
  return `${variable}: remove the option ${printableName(name)}. Its value ${rule.advice}`;
}

/** The name of an option, if it is a word. Anything else may be part of a badly encoded password. */
function printableName(name: string): string {
  return /^[A-Za-z]{1,40}$/.test(name)
    ? name
    : 'whose name is not a word (is a character of the password not encoded?)';
}
