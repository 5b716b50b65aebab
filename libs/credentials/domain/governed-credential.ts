import type { OperationRules } from '#kernel';
import { brokenRules, standingViolations } from './credential-policy.ts';
import type { StandingViolation } from './credential-policy.ts';
import type { CredentialState } from './credential.ts';
import { nearEnds } from './ends.ts';
import type { NearEnd } from './ends.ts';
import { workingSecrets } from './inherited-rules.ts';

const MAX_ALLOWED_IPS = 100;

/** An operation, as far as it governs its credentials. */
export interface GoverningOperation extends OperationRules {
  readonly id: string;
  readonly name: string;
  readonly updatedAt: Date;
}

/** A credential and the rules of its operation. Judges and proposes, but changes nothing. */
export class GovernedCredential {
  constructor(
    readonly state: CredentialState,
    readonly operation: GoverningOperation,
  ) {}

  isActive(at: Date): boolean {
    const { status, expiresAt } = this.state;
    return status === 'active' && (expiresAt === null || at < expiresAt);
  }

  /** Ids of the secrets that sign in, the current one first. */
  liveSecretIds(at: Date): string[] {
    return workingSecrets(this.state.secrets, this.state.inherited, at).live.map(({ id }) => id);
  }

  /** What of it ends within 30 days. */
  nearEnds(at: Date): NearEnd[] {
    return nearEnds(this.state, this.operation.policy, at);
  }

  /** What of it breaks the rules of the operation; nothing while it cannot be used. */
  violations(at: Date): StandingViolation[] {
    return this.isActive(at) ? standingViolations(this.operation, this.state, at) : [];
  }

  /** The addresses that may be its Allowed IPs together: those that come first win, up to 100. */
  acceptableIps(addresses: readonly string[], at: Date): string[] {
    const accepted: string[] = [];
    for (const address of addresses) {
      if (accepted.length === MAX_ALLOWED_IPS) break;
      const isAccepted = brokenRules(this.operation, { allowedIps: [...accepted, address] }, at).length === 0;
      if (isAccepted) accepted.push(address);
    }
    return accepted;
  }
}
