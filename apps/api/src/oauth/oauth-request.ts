import type { AuthenticatedClient, AuthenticatedResourceServer } from '#access';
import type { Form } from '../http/form.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';

/** A request of a form endpoint, after its guards. */
export interface OAuthRequest extends LatchkeyRequest {
  /** The form's parameters, each there once. */
  form: Form['values'];
  /** What the Basic header said, read strictly. */
  basic: { readonly id: string; readonly secret: string };
  /** When the store must have answered, by `performance.now()`. */
  deadlineAtMs: number;
  /** Who that turned out to be. */
  user: AuthenticatedClient | AuthenticatedResourceServer;
}
