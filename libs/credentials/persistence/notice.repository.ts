import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { ClientSession, Model } from 'mongoose';
import { MongoStore } from '#mongo';
import type { DueNotice } from '../domain/notices.ts';

/** The last notice that was written for an end. `_id` names the end. */
interface NoticeDocument {
  _id: string;
  daysLeft: number;
  endsAt: Date;
}

const schema = new Schema<NoticeDocument>({ _id: String, daysLeft: Number, endsAt: Date });
schema.index({ endsAt: 1 }, { expireAfterSeconds: 86_400 }); // no notice is due after the end

/** Remembers which notices were written, so that each is written once. */
@Injectable()
export class NoticeRepository {
  private readonly model: Model<NoticeDocument>;

  constructor(store: MongoStore) {
    this.model = store.model('notices', schema);
  }

  /** Those of the notices that were not written yet, nor a later one for the same end. */
  async unwritten<T extends DueNotice>(due: readonly T[], session: ClientSession | null = null): Promise<T[]> {
    if (due.length === 0) return [];
    const ids = due.map(({ key }) => key);
    const found = await this.model.find({ _id: { $in: ids } }, { daysLeft: 1 }, { session }).lean();
    const written = new Map(found.map(({ _id, daysLeft }) => [_id, daysLeft]));
    return due.filter(({ key, daysLeft }) => daysLeft < (written.get(key) ?? Infinity));
  }

  /** Two transactions that write the same notice conflict, and one of them is retried. */
  async add(notices: readonly DueNotice[], session: ClientSession): Promise<void> {
    if (notices.length === 0) return;
    await this.model.bulkWrite(
      notices.map(({ key, daysLeft, endsAt }) => ({
        updateOne: { filter: { _id: key }, update: { $set: { daysLeft, endsAt } }, upsert: true },
      })),
      { session },
    );
  }
}
