/**
 * Two values of an operation, or of the platform, that change in the transaction that changes what it grants, and never
 * come back: whoever finds the same value twice knows that nothing changed in between. Compare them for equality only.
 */
export interface RightsVersion {
  /** Changes with every change of a credential, or of anything else that decides, but the end of tokens. */
  readonly rights: string;
  /** Changes when tokens end: by revocation, eviction or deletion. */
  readonly ended: string;
}

/** What of a rights version a kind of documents depends on. */
export type DependsOn = 'rights' | 'rights and ended';

/** Whether what was true under the one version is true under the other. */
export function isSameVersion(a: RightsVersion, b: RightsVersion, dependsOn: DependsOn): boolean {
  return a === b || (a.rights === b.rights && (dependsOn === 'rights' || a.ended === b.ended));
}
