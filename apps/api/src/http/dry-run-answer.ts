import { z } from 'zod';
import { CredentialUpdated } from '#event-types';
import { timeField } from './fields.ts';

const sighting = {
  count: z.int().min(1).meta({ description: 'How often it was seen.', example: 288 }),
  lastSeenAt: timeField,
};

const affected = z
  .object({
    since: timeField.meta({
      description:
        'Use was looked at from the whole hour of this time on: 24 hours ago, or later if recording began later.',
    }),
    liveTokens: z
      .int()
      .min(0)
      .meta({
        description:
          'Live tokens that would be worthless, or lose an API or the address that they were issued to. A client whose ' +
          'token was only ended can get another one, so its use is not listed below.',
        example: 3,
      }),
    lastUsedAt: timeField.nullable().meta({
      description:
        'When something that would be refused was last used; null for never. It is older than `since` only if a ' +
        'credential could no longer be used at all: then it is the last use of the credential.',
    }),
    addresses: z
      .array(
        z.object({
          address: z.string().meta({
            description:
              'An address, or `other` (beyond 50 a day) or `unknown` (the resource server sent none): some of these ' +
              'uses may be refused.',
            example: '192.0.2.7',
          }),
          ...sighting,
        }),
      )
      .meta({ description: 'Where the refused uses came from, the most frequent first.' }),
    apis: z
      .array(z.object({ api: z.string().meta({ example: 'invoices' }), ...sighting }))
      .meta({ description: 'The APIs that could no longer be called, the most frequent first.' }),
    secrets: z
      .array(
        z.object({
          secretId: z.string().meta({
            description: 'Id of the secret, as the list of live secrets has it; not the secret.',
            example: 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
          }),
          ...sighting,
        }),
      )
      .meta({ description: 'The secrets that could no longer sign in, the most frequent first.' }),
  })
  .meta({
    description:
      'What was seen in the last 24 hours, worked until now and would be refused. Counts are up to 10 seconds late. ' +
      'A use from a lost address of a lost API is in both lists.',
  });

export const dryRunAnswer = z
  .object({
    dryRun: z.literal(true),
    changes: z
      .array(
        z.object({
          type: z.string().meta({ example: CredentialUpdated.type }),
          subject: z.object({ type: z.string(), id: z.string() }).meta({ description: 'What it is about.' }),
          data: z.record(z.string(), z.unknown()).meta({ description: 'As in the event log (`docs/events.md`).' }),
        }),
      )
      .meta({ description: 'The events that the call would write. Empty if it would change nothing.' }),
    affected,
  })
  .meta({ id: 'DryRun', description: 'What the call would change, and whom it would refuse. Nothing was changed.' });
