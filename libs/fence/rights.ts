/**
 * Two values of an operation, or of the platform. They change in the transaction that changes rights, and never repeat:
 * an equal value means that nothing changed in between. Compare them for equality only.
 */
export interface RightsVersion {
  /** Changes with every change of rights, except when only tokens end. */
  readonly rights: string;
  /** Changes when tokens end: by revocation, eviction or deletion. */
  readonly ended: string;
}

/** The parts of a rights version on which a kind of documents depends. */
export type DependsOn = 'rights' | 'rights and ended';

/** Whether a document that was valid under one version is valid under the other. */
export function isSameVersion(a: RightsVersion, b: RightsVersion, dependsOn: DependsOn): boolean {
  return a === b || (a.rights === b.rights && (dependsOn === 'rights' || a.ended === b.ended));
}
