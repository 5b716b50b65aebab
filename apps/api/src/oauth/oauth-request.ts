import type { AuthenticatedClient, AuthenticatedResourceServer } from '#access';
import type { Form } from '../http/form.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';

/** A request of a form endpoint, after its guards. */
export interface OAuthRequest extends LatchkeyRequest {
  /** The form's parameters, without duplicates. */
  form: Form['values'];
  /** The deadline for all store calls, by `performance.now()`. */
  deadlineAtMs: number;
  /** The authenticated client or resource server. */
  user: AuthenticatedClient | AuthenticatedResourceServer;
}
