/** The parts of the document, in the order in which someone who begins needs them. */
export const tags: readonly { readonly name: string; readonly description: string }[] = [
  {
    name: 'Operations',
    description:
      'An operation is a business unit of your company. It holds up to ten credentials and has its own chain in the event log. ' +
      'Its policy says what is demanded of its credentials, its list of APIs what they may be granted. It can be suspended.',
  },
  {
    name: 'APIs',
    description:
      'The catalogue: what a credential can be allowed to call. The `key` of an API is the scope value that grants it, and never changes.',
  },
  {
    name: 'Credentials',
    description:
      'A credential is a Client Credentials object: who a machine is, what it may call, from where, until when, and its secrets. ' +
      'Deleting, disabling or editing one is in force for its live tokens, on every instance, from the moment the call is answered.',
  },
  {
    name: 'API List',
    description:
      'What a credential may call, out of the whole catalogue. Set it, take APIs away or add some, or unselect all. ' +
      'A token’s rights at any moment are those it was issued with that its credential still has.',
  },
  {
    name: 'Live tokens',
    description:
      'The live tokens of a credential, at most ten: list them, end one, end all. Ending tokens needs no If-Match.',
  },
  {
    name: 'OAuth 2.0',
    description:
      'For clients, resource servers and gateways (RFC 6749, 7009, 7662, 8414). Requests are forms, errors are `OAuthError` ' +
      'documents, and every answer has `Cache-Control: no-store`. Clients sign in with HTTP Basic, id and secret form-encoded ' +
      'first (RFC 6749 2.3.1). Nothing is taken from the query.',
  },
  {
    name: 'Attention',
    description:
      'What needs a person: what ends soon, what nobody uses, what breaks a rule, what is refused more and more, what failed. ' +
      'Each item comes with the call that fixes it.',
  },
  {
    name: 'Reviews',
    description:
      'Access reviews: a sealed file of who may call what, which an auditor can verify offline, and the verdicts of reviewers.',
  },
  {
    name: 'Leaks',
    description:
      'For a token or secret that was found where it does not belong: find its owner, and end it. The patterns ' +
      'for scanners are in `docs/secret-scanning.md`.',
  },
  {
    name: 'Resource servers',
    description:
      'A resource server is an API or gateway that asks whether a token is good. It signs in with HTTP Basic, its `id` being the ' +
      'user name, and may ask only about the APIs that it names.',
  },
  {
    name: 'Events',
    description:
      'The event log: each change, issue, refusal, revocation, purge and prune, once, in a hash chain for each operation and one ' +
      'for the platform. It can be exported and verified without trusting the service.',
  },
  {
    name: 'Users',
    description:
      'People, and what they may do: `platform-admin` everything, `operation-admin` the credentials of named operations, `auditor` ' +
      'read everything. To someone who may not see an operation it does not exist (404).',
  },
  {
    name: 'Sign-in',
    description:
      'Sessions of people who use a browser: `POST /v1/session` answers a cookie that signs in from then on. A session may change things ' +
      'from the pages of this service only, and ends after a time without a request, or by a sign-out. Programs need no session: they send ' +
      '`Authorization` with each request.',
  },
  {
    name: 'Jobs',
    description: 'The queues behind the service: what waits, what failed, and how to have it tried again.',
  },
  { name: 'Health', description: 'For load balancers, orchestrators and Prometheus. No sign-in.' },
];
