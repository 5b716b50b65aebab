import { Schema } from 'mongoose';
import type { StoredSecret } from '#kernel';
import type { ResourceServerState } from '../domain/resource-server.ts';

export interface ResourceServerDocument extends Omit<ResourceServerState, 'id'> {
  _id: string;
  nameKey: string;
}

const secretSchema = new Schema<StoredSecret>(
  { id: String, digest: String, createdAt: Date, expiresAt: Date, lastUsedAt: Date },
  // here `id` is a separate field, not mongoose's alias of _id
  { _id: false, id: false },
);

export const resourceServerSchema = new Schema<ResourceServerDocument>({
  _id: String,
  name: String,
  nameKey: String,
  apis: [String],
  requireClientIp: Boolean,
  secrets: [secretSchema],
  version: Number,
  createdAt: Date,
  updatedAt: Date,
});
resourceServerSchema.index({ nameKey: 1 }, { unique: true, name: 'resource_server_name' }); // one resource server per name
resourceServerSchema.index({ apis: 1 }); // serves the deletion of an API
resourceServerSchema.index({ 'secrets.digest': 1 }, { name: 'resource_server_secret' }); // finds the owner of a leaked secret
