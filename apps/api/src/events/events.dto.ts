import { z } from 'zod';
import { CredentialDeleted } from '#event-types';
import { EXPORT_FORMATS } from '#audit';
import { idField, pageOf, timeField, timeInput } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

/** A filter with something like a secret is refused, because filters are recorded in the log. */
const textFilter = z
  .string()
  .min(1)
  .max(256)
  .regex(
    /^(?!.*lk_(?:ak|at|cs|rs|ss)_)[\x20-\x7e]+$/,
    'must be an id of visible ASCII characters, not a token or secret',
  );
const timeFilter = timeInput('must be an RFC 3339 time, such as 2026-11-23T09:30:00Z');

/** The operation whose events are asked for. */
export const chainFilter = {
  operationId: textFilter.optional().meta({
    description: 'Only this operation; `platform` for events without an operation.',
    example: 'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
  }),
};
const period = {
  from: timeFilter.optional().meta({
    type: 'string',
    format: 'date-time',
    description: 'From this time (inclusive).',
    example: '2026-11-01T00:00:00Z',
  }),
  to: timeFilter.optional().meta({
    type: 'string',
    format: 'date-time',
    description: 'Until this time (exclusive).',
    example: '2026-12-01T00:00:00Z',
  }),
};
const outcome = z.enum(['success', 'refused', 'failed']);
const kindFilter = {
  type: textFilter.optional().meta({ description: 'Only events of this type.', example: CredentialDeleted.type }),
  outcome: outcome.optional().meta({ description: 'Only events with this outcome.', example: 'success' }),
  subject: textFilter.optional().meta({
    description: 'Only events about this object: id of a credential, an operation, a user …',
    example: 'cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
  }),
};

const inOrder = { path: ['from'], error: 'must not be after `to`', params: { code: 'invalid' } };
const isInOrder = ({ from, to }: { readonly from?: Date | undefined; readonly to?: Date | undefined }): boolean =>
  from === undefined || to === undefined || from <= to;

export const listEventsQuery = z
  .strictObject({
    ...pageQuery,
    ...chainFilter,
    ...kindFilter,
    actor: textFilter.optional().meta({
      description: 'Only events of this actor: id of a user, client id, or id of an internal task.',
      example: 'us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
    }),
    ...period,
  })
  .refine(isInOrder, inOrder);
export type ListEventsParameters = z.output<typeof listEventsQuery>;

export const exportEventsQuery = z
  .strictObject({
    format: z.enum(EXPORT_FORMATS).default('ndjson').meta({
      description: '`ndjson` for the verifier, `csv` for spreadsheets.',
    }),
    ...chainFilter,
    ...kindFilter,
    ...period,
  })
  .refine(isInOrder, inOrder);
export type ExportEventsParameters = z.output<typeof exportEventsQuery>;

export const verifyLogQuery = z.strictObject(chainFilter);
export type VerifyLogParameters = z.output<typeof verifyLogQuery>;

export const listCheckpointsQuery = z.strictObject({ ...pageQuery, ...chainFilter });
export type ListCheckpointsParameters = z.output<typeof listCheckpointsQuery>;

export const signCheckpointsBody = z
  .strictObject({
    operationId: chainFilter.operationId.meta({
      description: 'Sign only the chain of this operation; `platform` for the platform chain. Omitted: all chains.',
      example: 'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
    }),
  })
  .default({})
  .meta({ example: {} });
export type SignCheckpointsBody = z.output<typeof signCheckpointsBody>;

const operationId = z
  .string()
  .nullable()
  .meta({ description: 'The operation of the chain; null for the platform chain.' });
const sha256 = z.string().meta({ description: 'SHA-256 in lower-case hexadecimal.' });
const seq = z.number().int();

export const eventAnswer = z
  .object({
    id: idField('ev_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
    seq: seq.nullable().meta({ description: 'Position in the chain, from 1; null outside the chains.' }),
    operationId,
    type: z
      .string()
      .meta({ example: CredentialDeleted.type, description: 'The event type. docs/events.md lists all types.' }),
    at: timeField,
    actor: z
      .object({
        type: z.enum(['user', 'service', 'client', 'resource-server', 'system']),
        id: z.string(),
        ip: z.string().nullable(),
      })
      .meta({ description: 'The actor.' }),
    subject: z.object({ type: z.string(), id: z.string() }).meta({ description: 'The object of the event.' }),
    outcome,
    data: z.record(z.string(), z.unknown()).meta({ description: 'Further data, depending on the type.' }),
    requestId: z.string().nullable().meta({ description: 'The request that caused the event.' }),
    prevHash: sha256.nullable(),
    hash: sha256.nullable(),
  })
  .meta({ id: 'Event', description: 'An event of the log. docs/event-log-format.md explains how to verify it.' });
export const eventPage = pageOf(eventAnswer);

export const checkpointAnswer = z
  .object({
    id: idField('cp_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
    operationId,
    seq: seq.meta({ description: 'Position of the signed event.' }),
    hash: sha256,
    at: timeField,
    keyId: z.string().meta({ description: 'RFC 7638 thumbprint of the public key.' }),
    signature: z.string().meta({ description: 'Ed25519, base64url without padding.' }),
  })
  .meta({
    id: 'Checkpoint',
    description: 'A signed statement of the service: this was the hash of that chain at that position.',
  });
export const checkpointPage = pageOf(checkpointAnswer);
export const checkpointExport = z.object({ items: z.array(checkpointAnswer) });

const fault = z.object({
  seq: seq.meta({ description: 'Position of the first fault.' }),
  reason: z
    .enum(['start', 'gap', 'duplicate', 'fork', 'chain', 'prev-hash', 'hash', 'checkpoint', 'tail', 'head', 'beyond'])
    .meta({
      description:
        'The fault, as in docs/event-log-format.md. `head`: the chain head has another hash than the last event. ' +
        '`beyond`: events are stored after the chain head.',
    }),
});

export const signingAnswer = z
  .object({
    signed: seq.meta({ description: 'The number of chains that are now signed up to their ends.', example: 3 }),
    upToDate: seq.meta({ description: 'The number of chains that were already signed up to their ends.', example: 1 }),
    items: z.array(checkpointAnswer).meta({ description: 'The new checkpoints, at most one hundred.' }),
    faults: z
      .array(fault.extend({ operationId }))
      .meta({ description: 'Chains that were not signed because they have a fault.' }),
  })
  .meta({ id: 'Signing' });

export const logProofAnswer = z
  .object({
    whole: z.boolean(),
    chains: z.array(
      z.object({
        operationId,
        events: seq.meta({ description: 'The number of events read, up to the first fault.' }),
        firstSeq: seq
          .nullable()
          .meta({ description: 'Position of the first stored event; null if there is no event.' }),
        lastSeq: seq.meta({ description: 'Position of the last event that is proven correct.' }),
        hash: sha256,
        fault: fault.nullable(),
        checkpoint: checkpointAnswer.nullable().meta({ description: 'The last valid checkpoint.' }),
        checkpointFaults: z
          .array(z.object({ id: z.string(), reason: z.enum(['unknown-key', 'retired-key', 'signature']) }))
          .meta({ description: 'Checkpoints that are not valid.' }),
      }),
    ),
  })
  .meta({ id: 'LogProof', description: 'Whether the stored log is complete and correct.' });

export const checkpointKeysAnswer = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string().meta({ description: 'RFC 7638 thumbprint: the `keyId` of its checkpoints.' }),
        use: z.literal('sig'),
        latchkey_retired_at: timeField
          .optional()
          .meta({ description: 'When the key was retired. It no longer signs.' }),
      }),
    ),
  })
  .meta({ id: 'CheckpointKeys', description: 'JWK Set (RFC 7517, RFC 8037).' });
