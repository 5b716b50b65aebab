import { Inject, Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Fence, findAfter } from '#fence';
import { MongoStore } from '#mongo';
import { endsOf } from '../domain/session.ts';
import type { SessionState } from '../domain/session.ts';

interface SessionDocument extends Omit<SessionState, 'id' | 'digest'> {
  /** The digest of its cookie. */
  _id: string;
  sessionId: string;
  /** From then on it is expired, and removed. */
  endsAt: Date;
}

const schema = new Schema<SessionDocument>({
  _id: String,
  sessionId: String,
  userId: String,
  method: String,
  createdAt: Date,
  lastSeenAt: Date,
  ip: String,
  userAgent: String,
  endsAt: Date,
});
schema.index({ userId: 1, lastSeenAt: -1 }); // serves the list of one's sessions, and ending them
schema.index({ endsAt: 1 }, { expireAfterSeconds: 0 }); // removes sessions that are over

@Injectable()
export class SessionRepository {
  private readonly model: Model<SessionDocument>;

  constructor(
    store: MongoStore,
    @Inject(CONFIG) private readonly config: Config,
    private readonly fence: Fence,
  ) {
    this.model = store.model('sessions', schema);
  }

  /** The session whose cookie has this digest, as of the last fence or later. It may have expired. */
  async findByDigest(digest: string): Promise<SessionState | undefined> {
    const { floor } = await this.fence.ready();
    const [document] = (await findAfter(floor, this.model, { filter: { _id: digest }, atMost: 1 })).documents;
    return document === undefined ? undefined : toState(document as SessionDocument);
  }

  async insert(state: SessionState, session: ClientSession): Promise<void> {
    await this.model.create([toDocument(state, this.endsAt(state))], { session });
  }

  /** Stores that the session was used, unless another request has just done so. */
  async touch(state: SessionState, at: Date): Promise<void> {
    const filter = { _id: state.digest, lastSeenAt: state.lastSeenAt };
    const seen = { lastSeenAt: at, endsAt: this.endsAt({ ...state, lastSeenAt: at }) };
    await this.model.updateOne(filter, { $set: seen });
  }

  /** All of a person's sessions, the last used first. Some may have expired. */
  async ofUser(userId: string, session: ClientSession | null = null): Promise<SessionState[]> {
    const documents = await this.model.find({ userId }, null, { session }).sort({ lastSeenAt: -1, _id: 1 }).lean();
    return documents.map(toState);
  }

  /** The sessions of these people that have not expired. */
  async liveOf(userIds: readonly string[], now: Date): Promise<SessionState[]> {
    return (await this.model.find({ userId: { $in: userIds }, endsAt: { $gt: now } }).lean()).map(toState);
  }

  async delete(sessions: readonly SessionState[], session: ClientSession): Promise<void> {
    if (sessions.length === 0) return;
    await this.model.deleteMany({ _id: { $in: sessions.map(({ digest }) => digest) } }, { session });
  }

  private endsAt(state: SessionState): Date {
    return endsOf(state, this.config.sessions).idleExpiresAt;
  }
}

function toState({ _id, sessionId, userId, method, createdAt, lastSeenAt, ip, userAgent }: SessionDocument) {
  return { id: sessionId, digest: _id, userId, method, createdAt, lastSeenAt, ip, userAgent } satisfies SessionState;
}

function toDocument({ id, digest, ...rest }: SessionState, endsAt: Date): SessionDocument {
  return { _id: digest, sessionId: id, ...rest, endsAt };
}
