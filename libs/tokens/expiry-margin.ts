/** By how much two instances' readings of the store's clock may differ, in milliseconds. */
export const EXPIRY_MARGIN_MS = 5_000;

/** Whether another instance may still take the token for live by its reading of the clock. */
export function mayBeLiveElsewhere({ expiresAt }: { readonly expiresAt: Date }, at: Date): boolean {
  return expiresAt.getTime() + EXPIRY_MARGIN_MS > at.getTime();
}
