/** What is judged of a credential beside its secrets. */
export interface JudgedCredential {
  readonly blocked: 'disabled' | 'suspended' | undefined;
  readonly expiresAtMs: number;
  readonly allowedIps: { admits(address: string): boolean };
}

/** Why the credential may not be used by anybody; undefined if it may. Decides sign-ins, tokens and simulations. */
export function refusalOfState(
  { blocked, expiresAtMs }: Pick<JudgedCredential, 'blocked' | 'expiresAtMs'>,
  nowMs: number,
): 'disabled' | 'suspended' | 'expired' | undefined {
  return blocked ?? (nowMs >= expiresAtMs ? 'expired' : undefined);
}

/**
 * Why it may not be used from the address; undefined if it may.
 *
 * @param address undefined: it cannot be told
 */
export function refusalOfAddress(
  { allowedIps }: Pick<JudgedCredential, 'allowedIps'>,
  address: string | undefined,
): 'no-address' | 'address' | undefined {
  if (address === undefined) return 'no-address';
  return allowedIps.admits(address) ? undefined : 'address';
}
