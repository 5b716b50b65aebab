import { z } from 'zod';
import { allowedIpsField, expiresAtField } from '../http/access-fields.ts';
import { idField, nameField, timeField } from '../http/fields.ts';
import { replayNotice, shownSecret, unrepeatedSecret, withSecret } from '../http/secret-fields.ts';

export const createKeyBody = z
  .strictObject({
    name: nameField.meta({ description: '1 to 100 characters, to tell the keys of a service user apart.' }),
    expiresAt: expiresAtField.default(null).meta({ description: 'When the key stops being good; null for never.' }),
    allowedIps: allowedIpsField.default([]).meta({
      description:
        'Addresses and CIDR ranges that the key may be used from; at most 100. An empty list means any address.',
    }),
  })
  .meta({ id: 'CreateApiKey', example: { name: 'Terraform', expiresAt: null, allowedIps: [] } });
export type CreateKeyBody = z.output<typeof createKeyBody>;

const members = {
  id: idField('ky_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id; not the key.'),
  name: z.string().meta({ example: 'Terraform' }),
  expiresAt: timeField.nullable().meta({ description: 'When the key stops being good; null for never.' }),
  allowedIps: z.array(z.string()).meta({ example: [] }),
  createdAt: timeField,
  lastUsedAt: timeField.nullable().meta({ description: 'When it was last used, to the minute; null for never.' }),
};

export const keyAnswer = z
  .object(members)
  .meta({ id: 'ApiKey', description: 'What is kept of an API key and may be told.' });

export const keyCreatedAnswer = z
  .object(withSecret(members, 'apiKey', shownSecret('lk_ak_')))
  .meta({ id: 'ApiKeyCreated', description: 'The API key, and this once the key itself.' });

export const keyReplayedAnswer = z
  .object({ ...withSecret<z.ZodType>(members, 'apiKey', unrepeatedSecret), notice: replayNotice })
  .meta({ id: 'ApiKeyReplayed', description: 'The answer to a repeated request: without the key.' });

export const keyList = z
  .object({ items: z.array(keyAnswer).max(2) })
  .meta({ id: 'ApiKeyList', description: 'The keys of a service user, at most two, the oldest first.' });
