const text = `
Latchkey gives machines access to APIs through OAuth 2.0 client credentials, and takes it away immediately: once a deletion, a
disable or an edit is answered, no instance accepts a token by the old state.

### The way through

1. Create an **operation**, an **API** of the catalogue, and a **credential** that may call it. An operation is a business unit of
   your company.
2. The client gets a token: \`POST /oauth2/token\` with its \`clientId\` and \`clientSecret\` as HTTP Basic.
3. The API asks whether the token is valid: \`POST /oauth2/introspect\`, as a **resource server**. Or its gateway asks, by
   \`/oauth2/forward-auth\`.
4. Delete the credential: the next question about any of its tokens is answered \`{"active":false}\`.

### Working on the page at \`PUBLIC_PATH/docs\`

- **Sign in** at the top of the page. Then open a call, press *Try it out* and *Execute*. *Authorize* is for OAuth calls only: as
  \`client\` to get a token, as \`resourceServer\` (or \`client\`) to introspect one.
- **What a call acts on.** Choose a thing from the list under its field, or type its id. The form shows its name before you send.
  The page fills in what you made or used last, but never the thing that a deletion or a rotation acts on. Those ask once more.
- **Secrets** are shown once, in a notice that stays until you say that you have stored them. From there you can copy them, or use
  them for OAuth calls. The curl box masks secrets and passwords; *Copy* copies the whole command.
- **Headers** that you leave empty are filled in: \`If-Match\` with the ETag that the page saw last, \`Idempotency-Key\` with one key
  for each *Try it out*. Pressing *Execute* twice therefore has one effect.
- The page forgets everything when it is closed.

### Signing in

SIGN_IN Without a sign-in, or with a wrong one: 401 \`unauthenticated\`. A role that does not cover the call: 403 \`forbidden\`. What
you may not see is answered like what does not exist: 404. After 20 failed sign-ins of one name or client id from one address within 5
minutes, or 200 from one address, wrong secrets and passwords get 429 with \`Retry-After\`, also when they come in parallel. A correct
client secret or resource-server secret always passes. A correct password does not pass while that person is being guessed at from the
same address. IPv6 addresses are counted by /64.

### Ids, times, names, addresses

- Ids are opaque strings. Times are RFC 3339; answers are in UTC with milliseconds.
- JSON is strict: UTF-8, no byte order mark, no member twice, no unknown member, no number beyond a double, at most 32 levels deep. A body
  has at most 128 KiB and 5,000 members, a form 16 KiB. Query parameters are given once; unknown ones are refused, never ignored.
- A \`name\` has 1 to 100 characters, is normalised to NFC, and holds no control, bidirectional or zero-width characters. It is unique
  in its operation without regard to case. A \`description\` has up to 1000.
- Allowed IPs are IPv4 or IPv6 addresses and CIDR ranges, strictly written: \`010.0.0.1\`, \`10.1\`, \`10.0.0.5/8\` (host bits set),
  zones, ports and \`0.0.0.0/0\` are refused. They are stored canonically; an IPv4-mapped IPv6 address is its IPv4 address. They are checked
  when a token is asked for and when it is used. An empty list means any address.

### Changing things safely

- **ETag and If-Match.** The answer with one thing has an \`ETag\`. \`PATCH\`, \`PUT\` and \`DELETE\` of a thing need it as \`If-Match\`
  (RFC 9110 13.1.1): 428 without, 412 when the thing has changed meanwhile; \`*\` means any version. For \`…/apis\` it is the credential’s.
  \`rotate-secret\` honours it when sent. Ending tokens needs none.
- **Idempotency-Key.** A \`POST\` that creates takes it: 1 to 255 visible ASCII characters. The same key and body within 24 hours gives the
  same answer, with \`Idempotency-Replayed: true\`, and has no second effect. Another body with the key: 422. While the first request
  is under way: 409 with \`Retry-After\`. A secret is stored nowhere to be replayed: a replayed create that had one answers 200 with
  \`null\` in its place, and says so.

### Lists

\`limit\` is 1 to 100, 20 when left out. \`nextCursor\` is what to send as \`cursor\` for the next page, with the same filters; it is null
on the last one. Pages neither repeat nor miss what was there all the time, while others write. A cursor that was altered, or made for another
list: 400 \`invalid-cursor\`. Filters are taken literally.

### Errors

Every error outside the endpoints under \`/oauth2\` is an RFC 9457 \`application/problem+json\` document: \`type\` is \`urn:latchkey:problem:<code>\`, \`detail\`
says what to do, \`instance\` is the id of the request (also in the header \`X-Request-Id\`, which you may send, 1 to 64 of
\`A-Z a-z 0-9 . _ -\`), and \`errors\` names each member at fault by a JSON pointer (RFC 6901); members of the query, path and header
stand under \`/query\`, \`/path\` and \`/header\`. No answer repeats what was sent.

Besides what each call lists: an unknown address is 404 \`not-found\`; a method that an address does not have is 405
\`method-not-allowed\` with \`Allow\`; a request that cannot be read as HTTP is 400 \`malformed-request\`, one that
does not arrive within 20 seconds 408 \`request-timeout\`, an \`Expect\` that is not known 417 \`expectation-failed\`, a header that is too large 431
\`headers-too-large\`; 500 \`internal\` would be a fault of ours, to be reported with its \`instance\`. 503 comes with \`Retry-After\`.
Mostly nothing was changed then. When the connection to the store was lost during a commit, the change may have been made, and the
\`detail\` says so: look first, or repeat the request with the same \`Idempotency-Key\`.

### Limits

10 credentials an operation (409 \`credential-limit\`; disabled ones count, deleted ones do not). 10 live tokens a credential: the 11th request
answers 429 with \`Retry-After\` until the first expires (\`reject\`), or ends the oldest (\`evict_oldest\`); expired and ended tokens count no
more. At most 2 secrets live, 100 Allowed IPs and 500 APIs a credential.

### What the texts look like

A client id is \`lk_ci_\` and 24 base62 characters, the credential’s public handle. A token is \`lk_at_\`, that handle, 43 base62 characters
(256 random bits) and 6 of a CRC-32 over all before it, so that one look at a leaked token tells what it is and whose. A client secret is
\`lk_cs_\`, a resource server’s \`lk_rs_\`, each with 43 + 6 characters. Only their SHA-256 is kept.

This document is at \`PUBLIC_PATH/openapi.json\`, this page at \`PUBLIC_PATH/docs\`.
`.trim();

/** What differs between deployments. */
export interface Deployment {
  /** The path of PUBLIC_URL. */
  readonly publicPath: string;
  /** Whether an OpenID Connect provider is configured. */
  readonly oidc: boolean;
}

const SIGN_IN = 'People sign in by a session in their browser (`session`), or with HTTP Basic (`person`)';
const WITH_OIDC = ', or with a JWT of the company’s OpenID Connect provider (`oidc`)';

/** The rules for every call, for readers of the document. */
export function apiDescription({ publicPath, oidc }: Deployment): string {
  return text.replaceAll('PUBLIC_PATH', publicPath).replace('SIGN_IN', `${SIGN_IN}${oidc ? WITH_OIDC : ''}.`);
}
