/** Options that the service sets itself, and why another value would break a promise. Names in lower case. */
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
    ['readConcernLevel', ['majority'], 'would read what may be rolled back'],
    ['w', ['majority'], 'would acknowledge a deletion that a failover can undo'],
    ['journal', ['true'], 'would acknowledge a deletion that a power cut can undo'],
    ['wtimeoutMS', [], 'would report a change as failed that is made later'],
    ['retryWrites', ['true'], 'turns each failover into errors'],
    ['retryReads', ['true'], 'turns each failover into errors'],
    ['serverMonitoringMode', ['stream', 'auto'], 'would notice a new primary late'],
    ['timeoutMS', [], 'would end commits whose outcome is then unknown'],
  ].map(([name, accepted, advice]) => [
    (name as string).toLowerCase(),
    { accepted: accepted as readonly string[], advice: advice as string },
  ]),
);

/** Options that say how to reach the store, sign in and encrypt. Names in lower case. */
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
 * What is wrong with the options of a `mongodb://` URI: those that would weaken a promise, and those that are not known
 * to leave it whole. Values are not repeated, since some are secrets.
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
    return `${variable}: remove the option ${shown(name)}. Latchkey sets it itself, or does not support it`;
  }
  if (rule.accepted.includes(value.toLowerCase())) return undefined;
  return `${variable}: remove the option ${shown(name)}. Its value ${rule.advice}`;
}

/** An option's name, unless it looks like something else: a badly quoted password ends up here. */
function shown(name: string): string {
  return /^[A-Za-z]{1,40}$/.test(name)
    ? name
    : 'whose name is not a word (is a character of the password not encoded?)';
}
