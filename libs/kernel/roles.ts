/** What a person may do: everything; manage the credentials of named operations; or read and prove the log. */
export const ROLES = ['platform-admin', 'operation-admin', 'auditor'] as const;
export type Role = (typeof ROLES)[number];
