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

const MOST_APIS = 500;

const apis = z
  .array(
    z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._-]{0,63}$/,
        'An API key has 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit.',
      ),
  )
  .max(MOST_APIS, `Give at most ${MOST_APIS} API keys.`)
  .meta({
    description: `Keys of the APIs that it may ask about, at most ${MOST_APIS}. Order and repetition do not matter.`,
  });

const requireClientIp = z.boolean().meta({
  description:
    'Whether a token of a credential with Allowed IPs is inactive to it unless it sends `client_ip`. With `false`, for standard ' +
    'resource servers that cannot send it, the answer carries `allowed_ips` instead, and checking them is its own task.',
});

export const createResourceServerBody = z
  .strictObject({ name: nameField, apis, requireClientIp: requireClientIp.default(true) })
  .meta({ id: 'CreateResourceServer', example: { name: 'Invoice API', apis: ['invoices'], requireClientIp: true } });
export type CreateResourceServerBody = z.output<typeof createResourceServerBody>;

export const editResourceServerBody = z
  .strictObject({ name: nameField.optional(), apis: apis.optional(), requireClientIp: requireClientIp.optional() })
  .meta({
    id: 'EditResourceServer',
    description: 'Members that are left out stay as they are; an empty object changes nothing.',
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
  id: idField('rs_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id, and the user name of its HTTP Basic.'),
  name: z.string().meta({ example: 'Invoice API' }),
  apis: z.array(z.string()).meta({ example: ['invoices'], description: 'Keys of the APIs it may ask about, sorted.' }),
  requireClientIp,
  secrets: z.array(secretAnswer).max(2).meta({ description: 'Its live secrets, at most two, the current one first.' }),
  createdAt: timeField,
  updatedAt: timeField,
};

export const resourceServerAnswer = z
  .object(members)
  .meta({ id: 'ResourceServer', description: 'An API or gateway that asks whether tokens are good.' });

export const resourceServerWithSecret = z
  .object(withSecret<z.ZodType>(members, 'resourceServerSecret', shownSecret('lk_rs_')))
  .meta({ id: 'ResourceServerWithSecret', description: 'A resource server and, this once, its secret.' });

export const resourceServerReplay = z
  .object({ ...withSecret<z.ZodType>(members, 'resourceServerSecret', unrepeatedSecret), notice: replayNotice })
  .meta({ id: 'ResourceServerReplay', description: 'What a repeated request with the same Idempotency-Key gets.' });

export const rotatedResourceServer = z.union([resourceServerWithSecret, resourceServerReplay]).meta({
  id: 'RotatedResourceServer',
  description:
    'The resource server with its new secret, or what a repeated request with the same Idempotency-Key gets.',
});

export const resourceServerPage = pageOf(resourceServerAnswer).meta({
  id: 'ResourceServerPage',
  description: 'A page of resource servers.',
});
