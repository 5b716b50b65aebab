/** MongoDB error codes that migrations handle. */
export const CODE = {
  unauthorized: 13,
  authenticationFailed: 18,
  namespaceExists: 48,
  cannotCreateIndex: 67,
  indexOptionsConflict: 85,
  indexKeySpecsConflict: 86,
  duplicateKey: 11000,
} as const;

export function hasCode(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => error.code === code);
}

/** Awaits a call. An error with this code counts as success. */
export async function ignoreError(code: number, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!hasCode(error, code)) throw error;
  }
}
