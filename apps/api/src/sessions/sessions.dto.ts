import { z } from 'zod';
import { idField, timeField } from '../http/fields.ts';
import { meAnswer } from '../users/users.dto.ts';

const MAX_SENT_LENGTH = 1_024;

export const signInBody = z
  .strictObject({
    username: z.string().min(1).max(MAX_SENT_LENGTH).meta({ description: 'Upper and lower case are the same.' }),
    password: z.string().min(1).max(MAX_SENT_LENGTH).meta({ format: 'password' }),
  })
  .meta({ id: 'SignIn', example: { username: 'ada', password: 'ada: the password that you have here' } });
export type SignInBody = z.output<typeof signInBody>;

const method = z.enum(['password', 'oidc']).meta({
  description: 'How you signed in: with a password of this service, or at the OpenID Connect provider.',
});
const idleExpiresAt = timeField.meta({
  description: 'When the session ends if there is no further request. RFC 3339, UTC.',
});
const expiresAt = timeField.meta({ description: 'When the session ends at the latest. RFC 3339, UTC.' });

export const sessionAnswer = z
  .object({ user: meAnswer, method, createdAt: timeField, idleExpiresAt, expiresAt })
  .meta({ id: 'Session', description: 'The session that the cookie stands for.' });

export const listedSession = z
  .object({
    id: idField('ss_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id; not the cookie.'),
    method,
    createdAt: timeField,
    lastSeenAt: timeField.meta({ description: 'When it was last used, to the minute. RFC 3339, UTC.' }),
    idleExpiresAt,
    expiresAt,
    ip: z.string().nullable().meta({ description: 'Address that signed in.', example: '192.0.2.1' }),
    userAgent: z.string().nullable().meta({ description: 'What the browser calls itself.', example: 'Mozilla/5.0 …' }),
    current: z.boolean().meta({ description: 'Whether it is the one that asks.' }),
  })
  .meta({ id: 'ListedSession', description: 'Where you are signed in.' });

export const sessionList = z
  .object({ items: z.array(listedSession) })
  .meta({ id: 'SessionList', description: 'Your live sessions, the last used first; at most 50.' });
