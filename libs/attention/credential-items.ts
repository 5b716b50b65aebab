import { Injectable } from '@nestjs/common';
import { GovernedCredentials } from '#credentials';
import type { GovernedCredential } from '#credentials';
import { ApiGrants } from '#history';
import { bounded } from '#mongo';
import { OTHER_ADDRESSES, UNKNOWN_ADDRESS, UsageReader } from '#usage';
import type { HourRefusals, LastUses } from '#usage';
import type { AttentionItem, AttentionKind } from './attention-item.ts';
import { COMPARED_DAYS, COUNTED_REASONS, refusalItems } from './rules/refusal-items.ts';
import { UNUSED_DAYS, daysBefore } from './rules/credential-item.ts';
import { nearEndItems } from './rules/near-end-items.ts';
import { needsAddresses, ruleItems } from './rules/rule-items.ts';
import type { SeenAddresses } from './rules/rule-items.ts';
import { isJudgedByApi, isUnused, unusedApisItem, unusedItem } from './rules/unused-items.ts';
import type { ApiFacts } from './rules/unused-items.ts';

/** One more than the Allowed IPs that a credential may have, and the two that stand for others. */
const MAX_ADDRESSES = 103;
const MAX_APIS = 500;

type Operations = Parameters<GovernedCredentials['ofOperations']>[0];

/** Which kinds of items are wanted. */
export type Wanted = (...kinds: readonly AttentionKind[]) => boolean;

/** Finds what needs a person about the credentials of some operations, with one query for each sort of facts. */
@Injectable()
export class CredentialItems {
  constructor(
    private readonly credentials: GovernedCredentials,
    private readonly grants: ApiGrants,
    private readonly usage: UsageReader,
  ) {}

  /**
   * @param isApiUseKnown whether the use of APIs is recorded for long enough
   * @throws DomainError `store-unavailable`
   */
  async of(operations: Operations, wants: Wanted, isApiUseKnown: boolean, at: Date): Promise<AttentionItem[]> {
    const all = await bounded(this.credentials.ofOperations(operations));
    const active = all.filter((credential) => credential.isActive(at));
    const [apis, addresses, refusals] = await Promise.all([
      wants('apis-unused') && isApiUseKnown ? this.apiFacts(active, at) : undefined,
      wants('unrestricted-ips', 'policy-violated') ? this.addresses(active, at) : undefined,
      wants('refusals-rising') ? this.refusals(active, at) : undefined,
    ]);
    return active.flatMap((credential) => {
      const { id } = credential.state;
      return [
        ...nearEndItems(credential, at),
        ...(isUnused(credential, at) ? [unusedItem(credential)] : apiItems(credential, apis?.get(id), at)),
        ...ruleItems(credential, seenAddresses(addresses?.get(id)), at),
        ...refusalItems(credential, refusals?.get(id) ?? [], at),
      ].filter(({ kind }) => wants(kind));
    });
  }

  private async apiFacts(active: readonly GovernedCredential[], at: Date): Promise<ReadonlyMap<string, ApiFacts>> {
    const since = daysBefore(at, UNUSED_DAYS);
    const old = active.filter((credential) => isJudgedByApi(credential, at));
    const uses = await this.usage.lastUsed(idsOf(old), 'api', since, MAX_APIS);
    const used = (id: string): Set<string> => new Set(uses.get(id)?.map(({ value }) => value));
    const suspects = old.filter(({ state }) => state.apis.some((api) => !used(state.id).has(api)));
    const grants = await this.grants.since(
      since,
      suspects.map(({ state }) => state),
    );
    return new Map(
      suspects.map(({ state: { id } }) => [id, { used: used(id), granted: grants.get(id) ?? new Set<string>() }]),
    );
  }

  private addresses(active: readonly GovernedCredential[], at: Date): Promise<LastUses> {
    const open = active.filter((credential) => needsAddresses(credential, at));
    return this.usage.lastUsed(idsOf(open), 'address', daysBefore(at, UNUSED_DAYS), MAX_ADDRESSES);
  }

  private async refusals(
    active: readonly GovernedCredential[],
    at: Date,
  ): Promise<ReadonlyMap<string, readonly HourRefusals[]>> {
    const found = await this.usage.refusals(idsOf(active), COUNTED_REASONS, daysBefore(at, COMPARED_DAYS));
    return Map.groupBy(found, ({ credentialId }) => credentialId);
  }
}

function apiItems(credential: GovernedCredential, facts: ApiFacts | undefined, at: Date): AttentionItem[] {
  return facts === undefined ? [] : unusedApisItem(credential, facts, at);
}

function seenAddresses(uses: readonly { readonly value: string }[] = []): SeenAddresses {
  const values = uses.map(({ value }) => value);
  const addresses = values.filter((value) => value !== OTHER_ADDRESSES && value !== UNKNOWN_ADDRESS);
  return { addresses, unnamed: addresses.length < values.length };
}

function idsOf(credentials: readonly GovernedCredential[]): string[] {
  return credentials.map(({ state }) => state.id);
}
