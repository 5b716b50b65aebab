import type { GovernedCredential } from '#credentials';
import type { AttentionItem, Fix } from '../attention-item.ts';
import { allowedIpsFix, editFix, expiryFix, rotateFix } from '../fixes.ts';
import { credentialItem, latest } from './credential-item.ts';

/** From where a credential was used lately. */
export interface SeenAddresses {
  /** The latest first. */
  readonly addresses: readonly string[];
  /** Whether it was also used from addresses that are not in the list. */
  readonly unnamed: boolean;
}

type Violation = ReturnType<GovernedCredential['violations']>[number];

/** Whether one of the items of the credential proposes Allowed IPs. */
export function needsAddresses(credential: GovernedCredential, at: Date): boolean {
  return (
    credential.state.allowedIps.length === 0 || credential.violations(at).some(({ member }) => member === 'allowedIps')
  );
}

/** What breaks the rules of the operation; a credential without Allowed IPs, where that is not against a rule. */
export function ruleItems(credential: GovernedCredential, seen: SeenAddresses, at: Date): AttentionItem[] {
  const { state, operation } = credential;
  const violations = credential.violations(at);
  const since = latest(state.updatedAt, operation.updatedAt);
  const items = violations.map((violation) => {
    const detail = `It breaks the rule ${violation.rule} of its operation. ${ADVICE[violation.member]}`;
    const fix = violationFix(credential, violation, seen, at);
    return credentialItem(credential, { kind: 'policy-violated', severity: 'warning', since, detail, fix });
  });
  if (state.allowedIps.length > 0 || violations.some(({ member }) => member === 'allowedIps')) return items;
  const detail =
    'It has no Allowed IPs: whoever gets hold of its secret can use it from any address. Limit it to those of its clients.';
  const fix = allowedIpsFix(credential, seen, at);
  const open = { kind: 'unrestricted-ips' as const, severity: 'warning' as const, since: state.updatedAt, detail, fix };
  return [...items, credentialItem(credential, open)];
}

const ADVICE: Readonly<Record<Violation['member'], string>> = {
  allowedIps: 'Limit it to the addresses of its clients.',
  expiresAt: 'Give it an expiry that the operation accepts.',
  owner: 'Say which person or team answers for it.',
  secrets: 'Rotate its secret, and give its clients the new one.',
};

function violationFix(credential: GovernedCredential, { member }: Violation, seen: SeenAddresses, at: Date): Fix {
  if (member === 'allowedIps') return allowedIpsFix(credential, seen, at);
  if (member === 'expiresAt') return expiryFix(credential, at);
  if (member === 'secrets') return rotateFix(credential, at);
  const owner = credential.state.contact ?? credential.operation.name;
  return editFix(
    credential,
    { owner },
    `Names “${owner}” as the owner. Replace it by the person or team that answers for it.`,
  );
}
