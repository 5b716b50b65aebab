import { z } from 'zod';
import { idField, nameField, nameFilter, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

/** Ten years. */
const MAX_DAYS = 3_650;

const requireAllowedIps = z.boolean().meta({
  description: 'Whether every credential of the operation must name the addresses that it may be used from.',
});

const status = z.enum(['active', 'suspended']).meta({
  description:
    'While it is `suspended`, none of its credentials gets a token and none of their tokens is good. Tokens that have not expired ' +
    'are good again once it is `active`.',
});

/** A demand that is on or off; null and false are off. */
const demand = (description: string): z.ZodType<true | null | undefined> =>
  z
    .boolean()
    .nullable()
    .transform((isOn) => (isOn === true ? true : null))
    .optional()
    .meta({ description });

const limit = (max: number, description: string): z.ZodType<number | null | undefined> =>
  z.int().min(1).max(max).nullable().optional().meta({ description });

const policyBody = z
  .strictObject({
    widestIpv4Prefix: limit(
      32,
      'The widest IPv4 range that `allowedIps` may hold, as its prefix length: 24 refuses a /23. Ranges are judged by their ' +
        'union, and an empty list, which means any address, is refused too.',
    ),
    widestIpv6Prefix: limit(128, 'The same for IPv6.'),
    maxSecretAgeDays: limit(MAX_DAYS, 'A secret that is older no longer signs in. Its tokens stay good.'),
    maxCredentialDays: limit(
      MAX_DAYS,
      'How many days ahead `expiresAt` may be when it is written; it must be given then.',
    ),
    requireOwner: demand('Whether every credential must have an `owner`.'),
    requireExpiry: demand('Whether every credential must have an `expiresAt`.'),
  })
  .meta({ description: 'Members that are left out stay as they are; null switches one off.' });

const policyAnswer = z
  .object({
    widestIpv4Prefix: z.int().nullable(),
    widestIpv6Prefix: z.int().nullable(),
    maxSecretAgeDays: z.int().nullable(),
    maxCredentialDays: z.int().nullable(),
    requireOwner: z.boolean().nullable(),
    requireExpiry: z.boolean().nullable(),
  })
  .meta({
    id: 'Policy',
    description: 'What the operation demands of its credentials; null where it does not.',
    example: {
      widestIpv4Prefix: 24,
      widestIpv6Prefix: null,
      maxSecretAgeDays: 90,
      maxCredentialDays: null,
      requireOwner: true,
      requireExpiry: null,
    },
  });

export const createOperationBody = z
  .strictObject({ name: nameField, requireAllowedIps: requireAllowedIps.default(false) })
  .meta({ id: 'CreateOperation', example: { name: 'Billing', requireAllowedIps: false } });
export type CreateOperationBody = z.output<typeof createOperationBody>;

export const editOperationBody = z
  .strictObject({
    name: nameField.optional(),
    status: status.optional(),
    requireAllowedIps: requireAllowedIps.optional(),
    policy: policyBody.optional(),
    enforce: z
      .enum(['new'])
      .optional()
      .meta({
        description:
          '`new` applies new rules to what is written from now on only: credentials that break them stay as they are, and secrets ' +
          'that work are exempt from a new maximum age until they are rotated. Without it such an edit is refused.',
      }),
  })
  .meta({
    id: 'EditOperation',
    description: 'Members that are left out stay as they are; an empty object changes nothing.',
    example: { name: 'Billing and invoicing' },
  });
export type EditOperationBody = z.output<typeof editOperationBody>;

export const listOperationsQuery = z.strictObject({
  ...pageQuery,
  name: nameFilter,
});
export type ListOperationsParameters = z.output<typeof listOperationsQuery>;

export const operationAnswer = z
  .object({
    id: idField('op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
    name: z.string().meta({ example: 'Billing' }),
    status,
    requireAllowedIps,
    policy: policyAnswer,
    credentialLimit: z.int().meta({ example: 10, description: 'How many credentials it may hold.' }),
    credentialCount: z.int().meta({ example: 3, description: 'How many it holds, disabled ones included.' }),
    createdAt: timeField,
    updatedAt: timeField,
  })
  .meta({ id: 'Operation', description: 'Holds up to ten credentials.' });
export const operationPage = pageOf(operationAnswer).meta({
  id: 'OperationPage',
  description: 'A page of operations.',
});
