import type { EventBody, Json } from '../api.ts';

type Data = Record<string, Json>;
/** An event of an export. */
export type ExportedEvent = EventBody & { readonly at: string };

interface Secret {
  readonly id: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** Whether the operation's maximum age is not for it. */
  readonly isExempt: boolean;
}

/** A resource as reconstructed from the log. */
interface Thing {
  readonly kind: string;
  readonly id: string;
  attributes: Data;
  secrets: Secret[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** In the order of an export: RFC 8785 sorts members. */
const NO_POLICY: Data = {
  maxCredentialDays: null,
  maxSecretAgeDays: null,
  requireExpiry: null,
  requireOwner: null,
  widestIpv4Prefix: null,
  widestIpv6Prefix: null,
};

/**
 * Rebuilds operations, credentials, APIs, resource servers and users from their events alone, as an auditor would,
 * without code of the service. Events of one chain arrive in order.
 */
export class Projector {
  private readonly things = new Map<string, Thing>();

  /** @throws Error if the state before an event differs from the state after the previous events */
  add(event: ExportedEvent): void {
    const [kind = '', change] = event.type.split('.');
    switch (change) {
      case 'created':
        this.create(kind, event);
        break;
      case 'updated':
        this.update(event);
        break;
      case 'secret-rotated':
        this.rotate(event);
        break;
      case 'secret-ended':
        this.end(event);
        break;
      case 'apis-changed':
        this.changed(event);
        break;
      case 'deleted':
        this.thing(event);
        this.things.delete(event.subject.id);
        break;
      default: // events of tokens and of the log itself change no resource
    }
  }

  /** The resources of a kind, by id: attributes, live secrets, version and times. */
  all(kind: string, at: string): Map<string, Data> {
    const found = [...this.things.values()].filter((thing) => thing.kind === kind);
    return new Map(found.map((thing) => [thing.id, this.shown(thing, at)]));
  }

  private shown({ kind, id, attributes, secrets, version, createdAt, updatedAt }: Thing, at: string): Data {
    const live = secrets
      .map(({ isExempt: _isExempt, ...secret }) => ({ ...secret, expiresAt: this.endOf(id, secret.id) }))
      .filter(({ expiresAt }) => expiresAt === null || expiresAt > at);
    return {
      ...attributes,
      ...(kind === 'operation' ? { credentialCount: this.heldBy(id).length } : {}),
      ...(kind === 'credential' || kind === 'resource-server' ? { secrets: live } : {}),
      version,
      createdAt,
      updatedAt,
    };
  }

  private create(kind: string, { subject, data, at, operationId, actor }: ExportedEvent): void {
    const { secretId, ...flat } = data;
    const attributes = kind === 'user' ? { ...(data['after'] as Data) } : flat;
    this.things.set(subject.id, {
      kind,
      id: subject.id,
      attributes: {
        ...attributes,
        ...(kind === 'operation' ? { status: 'active', policy: NO_POLICY } : {}),
        ...(kind === 'credential' ? { operationId, createdBy: actor.id, updatedBy: actor.id } : {}),
      },
      secrets: typeof secretId === 'string' ? [{ id: secretId, createdAt: at, expiresAt: null, isExempt: false }] : [],
      version: 1,
      createdAt: at,
      updatedAt: at,
    });
  }

  private update(event: ExportedEvent): void {
    const thing = this.changed(event);
    const { before, after } = event.data as { before: Data; after: Data };
    for (const [name, value] of Object.entries(before)) {
      if (JSON.stringify(thing.attributes[name]) !== JSON.stringify(value)) {
        throw new Error(`${event.type} ${event.id}: ${name} was not what the event says`);
      }
    }
    if (thing.kind === 'operation') this.follow(thing, event);
    thing.attributes = { ...thing.attributes, ...after };
  }

  /**
   * Credentials follow a change of their operation without an event of their own: docs/adr/0035-rules-of-the-
   * operation.md.
   */
  private follow(operation: Thing, { at, data }: ExportedEvent): void {
    const after = data['after'] as { readonly status?: string; readonly policy?: Data };
    const before = operation.attributes['policy'] as Data;
    const isNewAge = after.policy !== undefined && after.policy['maxSecretAgeDays'] !== before['maxSecretAgeDays'];
    if (after.status === undefined && !isNewAge) return;
    for (const credential of this.heldBy(operation.id)) {
      credential.version += 1;
      if (!isNewAge) continue;
      const isExempting = data['enforce'] === 'new' && after.policy['maxSecretAgeDays'] !== null;
      credential.secrets = credential.secrets.map((secret) => {
        const end = this.endOf(credential.id, secret.id);
        return { ...secret, isExempt: isExempting && (end === null || end > at) };
      });
    }
  }

  private heldBy(operationId: string): Thing[] {
    return [...this.things.values()].filter(
      (thing) => thing.kind === 'credential' && thing.attributes['operationId'] === operationId,
    );
  }

  /** When a secret ends: by its own end, or by the maximum age of the operation. */
  private endOf(ownerId: string, secretId: string): string | null {
    const owner = this.things.get(ownerId);
    const secret = owner?.secrets.find(({ id }) => id === secretId);
    if (owner === undefined || secret === undefined) throw new Error(`there is no secret ${secretId}`);
    const policy = this.things.get(owner.attributes['operationId'] as string)?.attributes['policy'] as Data | undefined;
    const days = policy?.['maxSecretAgeDays'];
    if (typeof days !== 'number' || secret.isExempt) return secret.expiresAt;
    const byAge = new Date(new Date(secret.createdAt).getTime() + days * 86_400_000).toISOString();
    return secret.expiresAt === null || byAge < secret.expiresAt ? byAge : secret.expiresAt;
  }

  private rotate(event: ExportedEvent): void {
    const thing = this.changed(event);
    const { secretId, previousSecretId, previousEndsAt, endedSecretIds } = event.data;
    const ended = endedSecretIds as string[];
    const kept = thing.secrets
      .filter(({ id }) => !ended.includes(id))
      .map((secret) => (secret.id === previousSecretId ? { ...secret, expiresAt: previousEndsAt as string } : secret));
    thing.secrets = [{ id: secretId as string, createdAt: event.at, expiresAt: null, isExempt: false }, ...kept];
  }

  private end(event: ExportedEvent): void {
    const thing = this.changed(event);
    thing.secrets = thing.secrets.filter(({ id }) => id !== event.data['secretId']);
  }

  private changed(event: ExportedEvent): Thing {
    const thing = this.thing(event);
    thing.version += 1;
    thing.updatedAt = event.at;
    if (thing.kind === 'credential') thing.attributes = { ...thing.attributes, updatedBy: event.actor.id };
    return thing;
  }

  private thing({ id, type, subject }: ExportedEvent): Thing {
    const thing = this.things.get(subject.id);
    if (thing === undefined) throw new Error(`${type} ${id} is about something that was not created`);
    return thing;
  }
}
