import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { OperationRepository } from '#catalogue';
import { Clock, digest } from '#kernel';
import { bounded } from '#mongo';
import { UsageReader } from '#usage';
import type { AttentionItem, AttentionKind, Severity, UncheckedKind } from './attention-item.ts';
import { CredentialItems } from './credential-items.ts';
import type { Wanted } from './credential-items.ts';
import { PlatformItems } from './platform-items.ts';
import type { AttentionScope } from './platform-items.ts';
import { DAY_MS, UNUSED_DAYS, daysBefore } from './rules/credential-item.ts';

/** Operations that are judged with one query for each sort of facts: at most 500 credentials. */
const OPERATIONS_EACH = 50;
/** After so many operations a page ends, even if it is not full. */
const MAX_OPERATIONS = 200;

export interface AttentionFilter {
  readonly operationId?: string | undefined;
  readonly kind?: AttentionKind | undefined;
  readonly severity?: Severity | undefined;
  /** Only what ends before. */
  readonly endsBefore?: Date | undefined;
}

/** Where the next page begins. */
export interface AttentionPage {
  readonly items: readonly AttentionItem[];
  /** Null on the last page. */
  readonly next: string | null;
  readonly unchecked: readonly UncheckedKind[];
}

/** A page of what needs a person: first the event log and the service, then the operations by id. */
export class ListAttentionQuery extends Query<AttentionPage> {
  /** @param after `next` of the previous page */
  constructor(
    readonly scope: AttentionScope,
    readonly filter: AttentionFilter,
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

/** The place of an item in the list. */
interface Place {
  /** Empty for what belongs to no credential. */
  readonly operationId: string;
  readonly key: string;
}

interface PlacedItem {
  readonly item: AttentionItem;
  readonly place: Place;
}

@QueryHandler(ListAttentionQuery)
export class ListAttentionHandler implements IQueryHandler<ListAttentionQuery> {
  constructor(
    private readonly platform: PlatformItems,
    private readonly credentials: CredentialItems,
    private readonly operations: OperationRepository,
    private readonly usage: UsageReader,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError `not-found` for an unknown operation, `store-unavailable` */
  async execute({ scope, filter, after, limit }: ListAttentionQuery): Promise<AttentionPage> {
    const at = this.clock.now();
    const { operationId } = filter;
    if (operationId !== undefined) await bounded(this.operations.load(operationId));
    const within = operationId === undefined ? scope : { ...scope, operationIds: [operationId] };
    const wants: Wanted = (...kinds) => filter.kind === undefined || kinds.includes(filter.kind);
    const start = placeOf(after);
    const accept = (items: readonly AttentionItem[], isFront: boolean): PlacedItem[] =>
      items
        .filter((item) => fits(item, filter))
        .map((item) => placed(item, isFront))
        .filter(({ place }) => isAfter(place, start));

    const found: PlacedItem[] = [];
    const unchecked: UncheckedKind[] = [];
    if (start.operationId === '') {
      const front = await this.platform.of(within, wants, at);
      found.push(...accept(front.items, true).sort(byPlace));
      unchecked.push(...front.unchecked);
    }
    const recordedSince = await this.usage.recordedSince();
    const isApiUseKnown = recordedSince <= daysBefore(at, UNUSED_DAYS);
    if (!isApiUseKnown && wants('apis-unused')) unchecked.push(unknownApiUse(recordedSince));

    let first = start.operationId;
    for (let judged = 0; found.length <= limit; judged += OPERATIONS_EACH) {
      if (judged === MAX_OPERATIONS)
        return { items: itemsOf(found), next: textOf({ operationId: first, key: '' }), unchecked };
      const batch = await bounded(this.operations.from(first, within.operationIds, OPERATIONS_EACH + 1));
      const items = await this.credentials.of(batch.slice(0, OPERATIONS_EACH), wants, isApiUseKnown, at);
      found.push(...accept(items, false).sort(byPlace));
      const next = batch[OPERATIONS_EACH];
      if (next === undefined) break;
      first = next.id;
    }
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      items: itemsOf(page),
      next: found.length <= limit || last === undefined ? null : textOf(last.place),
      unchecked,
    };
  }
}

function fits({ kind, severity, until }: AttentionItem, filter: AttentionFilter): boolean {
  if (filter.kind !== undefined && kind !== filter.kind) return false;
  if (filter.severity !== undefined && severity !== filter.severity) return false;
  return filter.endsBefore === undefined || (until !== undefined && until < filter.endsBefore);
}

function unknownApiUse(recordedSince: Date): UncheckedKind {
  const from = new Date(recordedSince.getTime() + UNUSED_DAYS * DAY_MS).toISOString();
  const detail = `Use is recorded since ${recordedSince.toISOString()}, so unused APIs are known from ${from} on.`;
  return { kind: 'apis-unused', detail };
}

function placed(item: AttentionItem, isFront: boolean): PlacedItem {
  const { kind, operationId, subject, fix } = item;
  if (isFront) return { item, place: { operationId: '', key: `${kind} ${digest(subject.id)}` } };
  // items of one kind and credential differ in what their fixes do
  const fixed = digest(`${fix?.path} ${Object.keys(fix?.body ?? {}).join()}`);
  return { item, place: { operationId: operationId ?? '', key: `${subject.id} ${kind} ${fixed}` } };
}

function placeOf(text = ' '): Place {
  const at = text.indexOf(' ');
  return { operationId: text.slice(0, at), key: text.slice(at + 1) };
}

function textOf({ operationId, key }: Place): string {
  return `${operationId} ${key}`;
}

function isAfter(place: Place, start: Place): boolean {
  return place.operationId === start.operationId ? place.key > start.key : place.operationId > start.operationId;
}

function byPlace({ place: a }: PlacedItem, { place: b }: PlacedItem): number {
  return isAfter(a, b) ? 1 : -1;
}

function itemsOf(found: readonly PlacedItem[]): AttentionItem[] {
  return found.map(({ item }) => item);
}
