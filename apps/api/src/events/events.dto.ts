import { z } from 'zod';
import { CredentialDeleted } from '#event-types';
import { EXPORT_FORMATS } from '#audit';
import { idField, pageOf, timeField, timeInput } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

/** Ids and types are compared as they are. What looks like a secret is refused, since the log tells what was asked for. */
const textFilter = z
  .string()
  .min(1)
  .max(256)
  .regex(
    /^(?!.*lk_(?:ak|at|cs|rs|ss)_)[\x20-\x7e]+$/,
    'must be an id of visible ASCII characters, and no token or secret',
  );
const timeFilter = timeInput('must be a time of RFC 3339, as 2026-11-23T09:30:00Z');

const scope = {
  operationId: textFilter.optional().meta({
    description: 'Only what belongs to this operation; `platform` for what belongs to none.',
    example: 'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
  }),
};
const period = {
  from: timeFilter.optional().meta({
    type: 'string',
    format: 'date-time',
    description: 'From this time on.',
    example: '2026-11-01T00:00:00Z',
  }),
  to: timeFilter.optional().meta({
    type: 'string',
    format: 'date-time',
    description: 'Before this time.',
    example: '2026-12-01T00:00:00Z',
  }),
};

const inOrder = { path: ['from'], error: 'must not be after `to`', params: { code: 'invalid' } };
const isInOrder = ({ from, to }: { readonly from?: Date | undefined; readonly to?: Date | undefined }): boolean =>
  from === undefined || to === undefined || from <= to;

export const listEventsQuery = z
  .strictObject({
    ...pageQuery,
    ...scope,
    type: textFilter.optional().meta({ description: 'Only this type.', example: CredentialDeleted.type }),
    actor: textFilter.optional().meta({
      description: 'Only what this one did: id of a user, client id, or id of a part of the service.',
      example: 'us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
    }),
    subject: textFilter.optional().meta({
      description: 'Only what was done to this: id of a credential, an operation, a user …',
      example: 'cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
    }),
    ...period,
  })
  .refine(isInOrder, inOrder);
export type ListEventsParameters = z.output<typeof listEventsQuery>;

export const exportEventsQuery = z
  .strictObject({
    format: z.enum(EXPORT_FORMATS).default('ndjson').meta({
      description: '`ndjson` is what a verifier reads, `csv` is for spreadsheets.',
    }),
    ...scope,
    ...period,
  })
  .refine(isInOrder, inOrder);
export type ExportEventsParameters = z.output<typeof exportEventsQuery>;

export const verifyLogQuery = z.strictObject(scope);
export type VerifyLogParameters = z.output<typeof verifyLogQuery>;

export const listCheckpointsQuery = z.strictObject({ ...pageQuery, ...scope });
export type ListCheckpointsParameters = z.output<typeof listCheckpointsQuery>;

export const signCheckpointsBody = z
  .strictObject({
    operationId: scope.operationId.meta({
      description: 'Sign this operation’s chain only; `platform` for the platform’s. All chains when left out.',
      example: 'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
    }),
  })
  .default({})
  .meta({ example: {} });
export type SignCheckpointsBody = z.output<typeof signCheckpointsBody>;

const operationId = z.string().nullable().meta({ description: 'Whose chain it is; null for the platform’s.' });
const sha256 = z.string().meta({ description: 'SHA-256 in lower-case hexadecimal.' });
const seq = z.number().int();

export const eventAnswer = z
  .object({
    id: idField('ev_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
    seq: seq.nullable().meta({ description: 'Place in its chain, from 1; null outside the chains.' }),
    operationId,
    type: z.string().meta({ example: CredentialDeleted.type, description: 'What happened; docs/events.md has all.' }),
    at: timeField,
    actor: z
      .object({
        type: z.enum(['user', 'client', 'resource-server', 'system']),
        id: z.string(),
        ip: z.string().nullable(),
      })
      .meta({ description: 'Who did it.' }),
    subject: z.object({ type: z.string(), id: z.string() }).meta({ description: 'What it was done to.' }),
    outcome: z.enum(['success', 'refused', 'failed']),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What else there is to say, by type.' }),
    requestId: z.string().nullable().meta({ description: 'The request that led to it.' }),
    prevHash: sha256.nullable(),
    hash: sha256.nullable(),
  })
  .meta({ id: 'Event', description: 'An event of the log. docs/event-log-format.md says how to verify it.' });
export const eventPage = pageOf(eventAnswer);

export const checkpointAnswer = z
  .object({
    id: idField('cp_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
    operationId,
    seq: seq.meta({ description: 'Place of the event that was signed.' }),
    hash: sha256,
    at: timeField,
    keyId: z.string().meta({ description: 'RFC 7638 thumbprint of the public key.' }),
    signature: z.string().meta({ description: 'Ed25519, base64url without padding.' }),
  })
  .meta({
    id: 'Checkpoint',
    description: 'The service’s signed word that this was the hash of that chain at that place.',
  });
export const checkpointPage = pageOf(checkpointAnswer);
export const checkpointExport = z.object({ items: z.array(checkpointAnswer) });

const fault = z.object({
  seq: seq.meta({ description: 'The first bad place.' }),
  reason: z
    .enum(['start', 'gap', 'duplicate', 'fork', 'chain', 'prev-hash', 'hash', 'checkpoint', 'tail', 'head', 'beyond'])
    .meta({
      description:
        'What is wrong there, in the words of docs/event-log-format.md; `head`: the service’s own note of where the chain ends has another hash; `beyond`: events are stored behind that end.',
    }),
});

export const signingAnswer = z
  .object({
    signed: seq.meta({ description: 'How many chains are signed up to their ends now.', example: 3 }),
    upToDate: seq.meta({ description: 'How many of them had been before.', example: 1 }),
    items: z
      .array(checkpointAnswer)
      .meta({ description: 'The new checkpoints; the first hundred, if there are more.' }),
    faults: z
      .array(fault.extend({ operationId }))
      .meta({ description: 'Chains that were not signed, since they are not whole.' }),
  })
  .meta({ id: 'Signing' });

export const logProofAnswer = z
  .object({
    whole: z.boolean(),
    chains: z.array(
      z.object({
        operationId,
        events: seq.meta({ description: 'How many were read; up to the first fault, if there is one.' }),
        firstSeq: seq.nullable().meta({ description: 'Where the chain begins; null when there is no event at all.' }),
        lastSeq: seq.meta({ description: 'The last event that is proven good.' }),
        hash: sha256,
        fault: fault.nullable(),
        checkpoint: checkpointAnswer.nullable().meta({ description: 'The last one that proves something.' }),
        checkpointFaults: z
          .array(z.object({ id: z.string(), reason: z.enum(['unknown-key', 'retired-key', 'signature']) }))
          .meta({ description: 'Checkpoints that prove nothing.' }),
      }),
    ),
  })
  .meta({ id: 'LogProof', description: 'Whether the log, as it is stored, is whole.' });

export const checkpointKeysAnswer = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string().meta({ description: 'RFC 7638 thumbprint: the `keyId` of its checkpoints.' }),
        use: z.literal('sig'),
        latchkey_retired_at: timeField.optional().meta({ description: 'When it was retired; it signs no more.' }),
      }),
    ),
  })
  .meta({ id: 'CheckpointKeys', description: 'JWK Set (RFC 7517, RFC 8037).' });
