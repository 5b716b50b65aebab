import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { Fence, findAfter } from '#fence';
import { DomainError, digest } from '#kernel';
import { MongoStore, TransactionConflict, isDuplicateKey } from '#mongo';
import { User, usernameKey } from '../domain/user.ts';
import type { OidcIdentity, UserState } from '../domain/user.ts';

/** Defaults for documents of version 0.1.0, which are active people with a password. */
type Later = 'kind' | 'oidc' | 'status' | 'auditedOperationIds' | 'claimsFrom' | 'lastSignInAt';

interface UserDocument extends Omit<UserState, 'id' | Later>, Partial<Pick<UserState, Later>> {
  _id: string;
  /** The unique key: the name of a local user, or the identity of a person at the OpenID Connect provider. */
  usernameKey: string;
}

const schema = new Schema<UserDocument>({
  _id: String,
  username: String,
  usernameKey: String,
  kind: String,
  oidc: { type: { issuer: String, subject: String }, _id: false },
  passwordHash: String,
  status: String,
  roles: [String],
  operationIds: [String],
  auditedOperationIds: { type: [String], default: undefined },
  claimsFrom: Date,
  version: Number,
  createdAt: Date,
  updatedAt: Date,
  lastSignInAt: Date,
});
schema.index({ usernameKey: 1 }, { unique: true, name: 'user_name' }); // one user a name; serves sign-in

/** One document, written by every change that depends on other users. */
interface LockDocument {
  _id: string;
  taken: number;
}

const lockSchema = new Schema<LockDocument>({ _id: String, taken: Number });

@Injectable()
export class UserRepository {
  private readonly model: Model<UserDocument>;
  private readonly locks: Model<LockDocument>;

  constructor(
    store: MongoStore,
    private readonly fence: Fence,
  ) {
    this.model = store.model('users', schema);
    this.locks = store.model('user_locks', lockSchema);
  }

  /** @throws DomainError `not-found` */
  async load(id: string, session: ClientSession | null = null): Promise<User> {
    const user = await this.find(id, session);
    if (user === undefined) throw DomainError.notFound('user');
    return user;
  }

  async find(id: string, session: ClientSession | null = null): Promise<User | undefined> {
    const document = await this.model.findById(id, null, { session }).lean();
    return document === null ? undefined : new User(toState(document));
  }

  /** Those of the users who exist, as stored. */
  async existing(ids: readonly string[]): Promise<UserState[]> {
    return (await this.model.find({ _id: { $in: ids } }).lean()).map(toState);
  }

  /** The user of this name, case-insensitively, as of the last fence or later. */
  async findByName(username: string): Promise<User | undefined> {
    return this.findByKey(usernameKey(username));
  }

  /** The user of this id, as of the last fence or later. */
  async findCurrent(id: string): Promise<User | undefined> {
    const { floor } = await this.fence.ready();
    const [document] = (await findAfter(floor, this.model, { filter: { _id: id }, atMost: 1 })).documents;
    return document === undefined ? undefined : new User(toState(document as UserDocument));
  }

  /** The user with this identity at the OpenID Connect provider, as of the last fence or later. */
  async findOidc(identity: OidcIdentity): Promise<User | undefined> {
    return this.findByKey(oidcKey(identity));
  }

  /** Stores when the applied claims were issued, if they changed nothing else. */
  async noteClaims(id: string, claimsFrom: Date, session: ClientSession): Promise<void> {
    await this.model.updateOne({ _id: id }, { $set: { claimsFrom } }, { session });
  }

  /** Stores that the user signed in. The version stays the same. */
  async noteSignIn(id: string, at: Date, session: ClientSession | null = null): Promise<void> {
    await this.model.updateOne({ _id: id }, { $set: { lastSignInAt: at } }).session(session);
  }

  /** Whether there is no local user yet. */
  async isEmpty(session: ClientSession | null = null): Promise<boolean> {
    return (await this.model.exists({ passwordHash: { $type: 'string' } }).session(session)) === null;
  }

  /** @throws DomainError `name-taken` */
  async insert(user: User, session: ClientSession): Promise<void> {
    await guardName(this.model.create([toDocument(user.state)], { session }));
  }

  /** @throws DomainError `name-taken`; TransactionConflict if it was changed since it was loaded */
  async save(user: User, session: ClientSession): Promise<void> {
    const { _id, lastSignInAt: _notedApart, ...set } = toDocument(user.state);
    const filter = { _id, version: user.state.version - 1 };
    const { matchedCount } = await guardName(this.model.updateOne(filter, { $set: set }, { session }).exec());
    if (matchedCount !== 1) throw new TransactionConflict();
  }

  /** @throws TransactionConflict if it was changed since it was loaded */
  async delete({ state: { id, version } }: User, session: ClientSession): Promise<void> {
    const { deletedCount } = await this.model.deleteOne({ _id: id, version }, { session });
    if (deletedCount !== 1) throw new TransactionConflict();
  }

  /**
   * Serializes transactions that depend on other users: each writes the same document, so only one of two commits, and
   * the other one retries with the result. Call it before anything is read.
   */
  async takeTurn(session: ClientSession): Promise<void> {
    try {
      await this.locks.updateOne({ _id: 'users' }, { $inc: { taken: 1 } }, { session, upsert: true });
    } catch (error) {
      if (isDuplicateKey(error)) throw new TransactionConflict('another writer was quicker', { cause: error });
      throw error;
    }
  }

  /**
   * Checks that there is another enabled platform-admin. Call `takeTurn` first.
   *
   * @throws DomainError `last-platform-admin`
   */
  async assertAnotherPlatformAdmin(id: string, session: ClientSession): Promise<void> {
    const other = await this.model
      .exists({ roles: 'platform-admin', status: { $ne: 'disabled' }, _id: { $ne: id } })
      .session(session);
    if (other !== null) return;
    throw new DomainError(
      'last-platform-admin',
      'This is the last enabled platform-admin. Create or enable another one first.',
    );
  }

  private async findByKey(key: string): Promise<User | undefined> {
    const { floor } = await this.fence.ready();
    const query = { filter: { usernameKey: key }, atMost: 1 };
    const [document] = (await findAfter(floor, this.model, query)).documents as UserDocument[];
    return document === undefined ? undefined : new User(toState(document));
  }

  /** A page of users by id. @param after id of the last one of the page before */
  async list(after: string | undefined, limit: number): Promise<UserState[]> {
    const documents = await this.model
      .find(after === undefined ? {} : { _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit)
      .lean();
    return documents.map(toState);
  }
}

async function guardName<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!isDuplicateKey(error, 'user_name')) throw error;
    throw new DomainError('name-taken', 'Another user has this name. Names are case-insensitive.', {
      errors: [{ pointer: '/username', code: 'name-taken', message: 'Choose another name.' }],
    });
  }
}

function toState({ _id, usernameKey: _key, ...rest }: UserDocument): UserState {
  return {
    ...rest,
    id: _id,
    kind: rest.kind ?? 'person',
    oidc: rest.oidc ?? null,
    status: rest.status ?? 'active',
    auditedOperationIds: rest.auditedOperationIds ?? null,
    claimsFrom: rest.claimsFrom ?? null,
    lastSignInAt: rest.lastSignInAt ?? null,
  };
}

function toDocument({ id, ...rest }: UserState): UserDocument {
  const key = rest.oidc === null ? usernameKey(rest.username) : oidcKey(rest.oidc);
  return { _id: id, usernameKey: key, ...rest };
}

/** Cannot be a user name, which has no colon. */
function oidcKey({ issuer, subject }: OidcIdentity): string {
  return `oidc:${digest(`${issuer}\n${subject}`)}`;
}
