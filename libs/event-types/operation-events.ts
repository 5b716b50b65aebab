import { z } from 'zod';
import { beforeAndAfter, changedTo, member, retired, text, texts } from './event-description.ts';
import { eventType } from './event-type.ts';

const name = member(text, 'Name.', 'Billing');
const requireAllowedIps = member(z.boolean(), 'Whether its credentials must have Allowed IPs.', false);
const status = member(z.enum(['active', 'suspended']), 'Whether its credentials may be used.', 'active');
const limit = z.number().int().nullable();
const demand = z.literal(true).nullable();
const policy = member(
  z.strictObject({
    widestIpv4Prefix: limit,
    widestIpv6Prefix: limit,
    maxSecretAgeDays: limit,
    maxCredentialDays: limit,
    requireOwner: demand,
    requireExpiry: demand,
  }),
  'What it demands of its credentials; null: it does not.',
  {
    widestIpv4Prefix: 24,
    widestIpv6Prefix: null,
    maxSecretAgeDays: 90,
    maxCredentialDays: null,
    requireOwner: true,
    requireExpiry: null,
  },
);

const operation = {
  chain: 'operation',
  subjects: ['operation'],
  subjectId: 'id of the operation',
  actors: ['user'],
} as const;

export class OperationCreated extends eventType({
  ...operation,
  type: 'operation.created.v1',
  what: 'An operation was created. It is the first event of its chain.',
  data: z.strictObject({ name, requireAllowedIps }),
}) {}

export class OperationUpdated extends eventType({
  ...operation,
  type: 'operation.updated.v2',
  what: 'An operation was changed. While it is suspended, none of its credentials gets a token and none of their tokens is good.',
  data: beforeAndAfter(
    { name, status, requireAllowedIps, policy },
    { requireAllowedIps: false },
    { requireAllowedIps: true },
  ).extend({
    enforce: member(
      z.literal('new').optional(),
      'Present when a new policy is for what is written from this event on only; secrets that worked are exempt from a new maximum age.',
      'new',
    ),
    toleratedCredentialIds: member(
      texts.optional(),
      'Ids of existing credentials that violate a new rule and were left unchanged, by `enforce: "new"`; absent if there are none.',
      ['cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'],
    ),
  }),
}) {}

const ceiling = z.enum(['all', 'listed']);

export class OperationApisChanged extends eventType({
  ...operation,
  type: 'operation.apis-changed.v1',
  what: 'What credentials of an operation may be granted was changed. Each credential that lost an API has a `credential.updated.v2`.',
  data: z.strictObject({
    mode: member(ceiling, 'Whether every API may be granted, or those of a list.', 'listed'),
    previousMode: member(ceiling, 'The same before.', 'all'),
    added: member(texts, 'Keys that came to the list.', ['invoices']),
    removed: member(texts, 'Keys that left the list.', []),
  }),
}) {}

const operationUpdatedV1 = retired({
  ...operation,
  type: 'operation.updated.v1',
  what: 'An operation was changed.',
  data: changedTo({ name, requireAllowedIps }, { requireAllowedIps: true }),
});

export class OperationDeleted extends eventType({
  ...operation,
  type: 'operation.deleted.v1',
  what: 'An operation without credentials was deleted. Its chain is kept.',
  data: z.strictObject({ name }),
}) {}

/** Operations. */
export const operationEvents = [OperationCreated, OperationUpdated, OperationApisChanged, OperationDeleted];

export const retiredOperationEvents = [operationUpdatedV1];
