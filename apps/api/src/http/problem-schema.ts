import { z } from 'zod';
import { listedSecret } from './secret-fields.ts';

/** An RFC 9457 problem with the extension members of some types. */
export const problemSchema = z
  .object({
    type: z.string().meta({ example: 'urn:latchkey:problem:validation' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: 'What to do.' }),
    instance: z.string().meta({ description: 'The request id. Quote it when you report the problem.' }),
    errors: z
      .array(z.object({ pointer: z.string(), code: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Every fault of the request, by JSON pointer (RFC 6901).' }),
    secrets: z
      .array(listedSecret)
      .optional()
      .meta({ description: 'For `rotation-in-progress`: both live secrets, the current one first.' }),
    violations: z
      .array(
        z.object({
          credentialId: z.string(),
          name: z.string().meta({ description: 'Name of the credential.' }),
          rule: z
            .enum([
              'requireAllowedIps',
              'widestIpv4Prefix',
              'widestIpv6Prefix',
              'maxSecretAgeDays',
              'maxCredentialDays',
              'requireOwner',
              'requireExpiry',
            ])
            .meta({ description: 'The rule that it violates.' }),
        }),
      )
      .optional()
      .meta({ description: 'For `policy-violated`: the credentials that violate the new rules.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document.' });
