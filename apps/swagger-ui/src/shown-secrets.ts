import { textOf } from './service.ts';

/** A secret that an answer showed, this once. */
export interface ShownSecret {
  readonly member: string;
  /** Whose it is. */
  readonly owner: string;
  /** What it signs in with: member and value. Undefined where the secret is enough. */
  readonly userName: { readonly member: string; readonly value: string } | undefined;
  readonly value: string;
}

/** The members that hold a secret, what they are called, and the member with the user name to it. */
const MEMBERS = [
  { member: 'clientSecret', userName: 'clientId' },
  { member: 'resourceServerSecret', userName: 'id' },
  { member: 'apiKey', userName: undefined },
] as const;

/** The secret in an answer, if it has one. A replayed answer has null in its place. */
export function secretIn(body: unknown): ShownSecret | undefined {
  for (const { member, userName } of MEMBERS) {
    const value = textOf(body, member);
    if (value === undefined || !value.startsWith('lk_')) continue;
    const signsInAs = userName === undefined ? undefined : textOf(body, userName);
    return {
      member,
      owner: textOf(body, 'name') ?? '',
      userName: userName === undefined || signsInAs === undefined ? undefined : { member: userName, value: signsInAs },
      value,
    };
  }
  return undefined;
}
