/** A value in event data: limited to what RFC 8785 canonicalises without loss (no fractions, no undefined). */
export type DomainEventValue =
  string | number | boolean | null | readonly DomainEventValue[] | { readonly [key: string]: DomainEventValue };
export type DomainEventData = Readonly<Record<string, DomainEventValue>>;
