import { z } from 'zod';
import { idField, nameField, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';
import {
  replayNotice,
  rotationMembers,
  secretSchema,
  shownSecret,
  unrepeatedSecret,
  withSecret,
} from '../http/secret-fields.ts';

const MAX_APIS = 500;

const apis = z
  .array(
    z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._-]{0,63}$/,
        'An API key must have 1 to 64 of the characters a-z 0-9 . _ - and begin with a letter or digit.',
      ),
  )
  .max(MAX_APIS, `Send at most ${MAX_APIS} API keys.`)
  .meta({
    description: `Keys of the APIs whose tokens it may check, at most ${MAX_APIS}. Order and repetition do not matter.`,
  });

const requireClientIp = z.boolean().meta({
  description:
    'Whether it must send `client_ip` for a token of a credential with Allowed IPs; without it, the token is inactive. ' +
    'With `false`, for resource servers that cannot send it, the answer contains `allowed_ips`, which it must check.',
});

export const createResourceServerBody = z
  .strictObject({ name: nameField, apis, requireClientIp: requireClientIp.default(true) })
  .meta({ id: 'CreateResourceServer', example: { name: 'Invoice API', apis: ['invoices'], requireClientIp: true } });
export type CreateResourceServerBody = z.output<typeof createResourceServerBody>;

export const editResourceServerBody = z
  .strictObject({ name: nameField.optional(), apis: apis.optional(), requireClientIp: requireClientIp.optional() })
  .meta({
    id: 'EditResourceServer',
    description: 'Omitted members stay unchanged; an empty object changes nothing.',
    example: { apis: ['invoices', 'payments'] },
  });
export type EditResourceServerBody = z.output<typeof editResourceServerBody>;

export const rotateResourceServerSecretBody = z
  .strictObject(rotationMembers('every older secret'))
  .prefault({})
  .meta({ id: 'RotateResourceServerSecret', example: { overlapSeconds: 3600 } });
export type RotateResourceServerSecretBody = z.output<typeof rotateResourceServerSecretBody>;

export const listResourceServersQuery = z.strictObject(pageQuery);
export type ListResourceServersParameters = z.output<typeof listResourceServersQuery>;

const secretAnswer = secretSchema('ResourceServerSecret');

const members = {
  id: idField('rs_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id, and the user name for HTTP Basic.'),
  name: z.string().meta({ example: 'Invoice API' }),
  apis: z
    .array(z.string())
    .meta({ example: ['invoices'], description: 'Keys of the APIs whose tokens it may check, sorted.' }),
  requireClientIp,
  secrets: z.array(secretAnswer).max(2).meta({ description: 'Its live secrets, at most two, the current one first.' }),
  createdAt: timeField,
  updatedAt: timeField,
};

export const resourceServerAnswer = z
  .object(members)
  .meta({ id: 'ResourceServer', description: 'An API or gateway that checks tokens.' });

export const resourceServerWithSecret = z
  .object(withSecret<z.ZodType>(members, 'resourceServerSecret', shownSecret('lk_rs_')))
  .meta({
    id: 'ResourceServerWithSecret',
    description: 'A resource server with its secret, which is shown only once.',
  });

export const resourceServerReplay = z
  .object({ ...withSecret<z.ZodType>(members, 'resourceServerSecret', unrepeatedSecret), notice: replayNotice })
  .meta({ id: 'ResourceServerReplay', description: 'The answer to a repeated request with the same Idempotency-Key.' });

export const rotatedResourceServer = z.union([resourceServerWithSecret, resourceServerReplay]).meta({
  id: 'RotatedResourceServer',
  description:
    'The resource server with its new secret, or the answer to a repeated request with the same Idempotency-Key.',
});

export const resourceServerPage = pageOf(resourceServerAnswer).meta({
  id: 'ResourceServerPage',
  description: 'A page of resource servers.',
});
