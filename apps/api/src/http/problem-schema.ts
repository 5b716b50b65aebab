import { z } from 'zod';
import { listedSecret } from './secret-fields.ts';

/** An RFC 9457 problem in answers, with the extension members that some types have. */
export const problemSchema = z
  .object({
    type: z.string().meta({ example: 'urn:latchkey:problem:validation' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: 'What to do.' }),
    instance: z.string().meta({ description: 'Id of the request, to quote to an operator.' }),
    errors: z
      .array(z.object({ pointer: z.string(), code: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Every fault of the request, by JSON pointer (RFC 6901).' }),
    secrets: z
      .array(listedSecret)
      .optional()
      .meta({ description: 'Of `rotation-in-progress`: both live secrets, the current one first.' }),
    violations: z
      .array(
        z.object({
          credentialId: z.string(),
          name: z.string().meta({ description: 'Name of the credential.' }),
          rule: z.enum(['requireAllowedIps']).meta({ description: 'The rule that it breaks.' }),
        }),
      )
      .optional()
      .meta({ description: 'Of `policy-violated`: the credentials that break the new rules.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document.' });
