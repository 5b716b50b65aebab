import type { ParameterObject } from './document.ts';

interface PathParameter {
  readonly description: string;
  /** For readers and tools; the page at /docs fills in no example. */
  readonly example: string;
}

/** Every parameter of a path. A route that names another one fails the architecture tests. */
const pathParameters: Readonly<Record<string, PathParameter>> = {
  operationId: { description: 'Id of the operation.', example: 'op_example' },
  credentialId: { description: 'Id of the credential.', example: 'cr_example' },
  secretId: {
    description: 'Id of the secret, as the list of live secrets has it; not the secret.',
    example: 'se_example',
  },
  tokenId: { description: 'Id of the token, as the list of live tokens has it; not the token.', example: 'tk_example' },
  apiKey: { description: 'Key of the API.', example: 'invoices' },
  resourceServerId: { description: 'Id of the resource server.', example: 'rs_example' },
  userId: { description: 'Id of the user.', example: 'us_example' },
  sessionId: {
    description: 'Id of the session, as the list of your sessions has it; not its cookie.',
    example: 'ss_example',
  },
  keyId: { description: 'Id of the API key, as the list of keys has it; not the key.', example: 'ky_example' },
  eventId: { description: 'Id of the event.', example: 'ev_example' },
  jobId: { description: 'Id of the job.', example: 'job_example' },
  queue: { description: 'Name of the queue.', example: 'token-purge' },
};

/** Longer parts of a path are 414. */
const LONGEST = 128;

/** The parameters that a path template names. */
export function parametersOfPath(path: string): ParameterObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: pathParameters[name]?.description ?? '',
    schema: { type: 'string', minLength: 1, maxLength: LONGEST },
    example: pathParameters[name]?.example,
  }));
}

const ifMatchText =
  'ETag of the last answer with the thing, or several, or `*` for any version. Without it: 428; when the thing has changed: 412.';

/** If-Match, where a call needs it or honours it. */
export function ifMatch(required: boolean): ParameterObject {
  return {
    name: 'If-Match',
    in: 'header',
    required,
    description: required ? ifMatchText : `${ifMatchText.split(' Without', 1)[0] ?? ''} Left out: any version.`,
    schema: { type: 'string' },
    ...(required ? { example: '"v1"' } : {}),
  };
}
