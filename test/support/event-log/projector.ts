import type { EventBody, Json } from '../api.ts';

type Data = Record<string, Json>;
/** An event of an export. */
export type ExportedEvent = EventBody & { readonly at: string };

interface Secret {
  readonly id: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
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
    const live = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > at);
    const held = [...this.things.values()].filter(
      (thing) => thing.kind === 'credential' && thing.attributes['operationId'] === id,
    );
    return {
      ...attributes,
      ...(kind === 'operation' ? { credentialCount: held.length } : {}),
      ...(kind === 'credential' || kind === 'resource-server'
        ? { secrets: live.map((secret) => ({ ...secret })) }
        : {}),
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
        ...(kind === 'credential' ? { operationId, createdBy: actor.id, updatedBy: actor.id } : {}),
      },
      secrets: typeof secretId === 'string' ? [{ id: secretId, createdAt: at, expiresAt: null }] : [],
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
    thing.attributes = { ...thing.attributes, ...after };
  }

  private rotate(event: ExportedEvent): void {
    const thing = this.changed(event);
    const { secretId, previousSecretId, previousEndsAt, endedSecretIds } = event.data;
    const ended = endedSecretIds as string[];
    const kept = thing.secrets
      .filter(({ id }) => !ended.includes(id))
      .map((secret) => (secret.id === previousSecretId ? { ...secret, expiresAt: previousEndsAt as string } : secret));
    thing.secrets = [{ id: secretId as string, createdAt: event.at, expiresAt: null }, ...kept];
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
