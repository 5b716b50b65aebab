/** The maximum difference between two instances' readings of the store's clock. */
export const EXPIRY_MARGIN_MS = 5_000;

/** Whether the token may still be live by another instance's reading of the clock. */
export function mayBeLiveElsewhere({ expiresAt }: { readonly expiresAt: Date }, at: Date): boolean {
  return expiresAt.getTime() + EXPIRY_MARGIN_MS > at.getTime();
}
