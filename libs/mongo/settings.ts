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

/** Values that are made once and shared by all instances, for good. */
@Injectable()
export class Settings {
  private readonly model: Model<SettingDocument>;
  private readonly known = new Map<string, string>();

  constructor(store: MongoStore) {
    this.model = store.model('settings', schema);
  }

  /**
   * The setting's value; whoever asks first anywhere fixes it.
   *
   * @throws DomainError `store-unavailable`
   */
  async getOrMake(name: string, make: () => string): Promise<string> {
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

  /** 256 random bits for message authentication, the same on every instance. */
  async key(name: string): Promise<Buffer> {
    return Buffer.from(await this.getOrMake(name, () => randomBytes(32).toString('base64')), 'base64');
  }
}
