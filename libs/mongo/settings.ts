import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Schema } from 'mongoose';
import type { Model } from 'mongoose';
import { MongoStore } from './mongo-store.ts';
import { bounded } from './store-errors.ts';

interface SettingDocument {
  _id: string;
  value: string;
}

const schema = new Schema<SettingDocument>({ _id: String, value: { type: String, required: true } });

/** Values that are generated once, never change and are shared by all instances. */
@Injectable()
export class Settings {
  private readonly model: Model<SettingDocument>;
  private readonly known = new Map<string, string>();

  constructor(store: MongoStore) {
    this.model = store.model('settings', schema);
  }

  /**
   * Returns the value of a setting. The first call on any instance generates it.
   *
   * @throws DomainError `store-unavailable`
   */
  async getOrCreate(name: string, make: () => string): Promise<string> {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const setting = await bounded(
      this.model
        .findOneAndUpdate({ _id: name }, { $setOnInsert: { value: make() } }, { upsert: true, returnDocument: 'after' })
        .lean(),
    );
    this.known.set(name, setting.value);
    return setting.value;
  }

  /** A 256-bit key for message authentication, the same on every instance. */
  async key(name: string): Promise<Buffer> {
    return Buffer.from(await this.getOrCreate(name, () => randomBytes(32).toString('base64')), 'base64');
  }
}
