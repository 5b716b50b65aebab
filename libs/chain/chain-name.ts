declare const brand: unique symbol;

/**
 * The name of a chain: an operation's id, or `platform`. Only `chainName` makes one, so no other string is taken for a
 * chain by mistake.
 */
export type ChainName = string & { readonly [brand]: 'ChainName' };

/** Name of the platform's chain. No operation has this id. */
export const PLATFORM_CHAIN = 'platform' as ChainName;

/** @param operationId null for the platform's chain, which may also be called by its name */
export function chainName(operationId: string | null): ChainName {
  return operationId === null ? PLATFORM_CHAIN : (operationId as ChainName);
}

/** Whose chain it is; null for the platform's. */
export function operationOf(chain: ChainName): string | null {
  return chain === PLATFORM_CHAIN ? null : chain;
}
