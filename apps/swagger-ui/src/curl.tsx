import { CopyButton } from './copy-button.tsx';
import { maskBody, maskHeaders } from './mask.ts';
import { usePageState } from './page-state.ts';
import type { Person } from './page-state.ts';
import { React } from './react.ts';
import { pathBelow } from './service.ts';
import type { Immutable, System } from './system.ts';

interface Props {
  readonly request: Immutable;
  readonly system: System;
}

/** The request as a curl command: masked on the page, whole when it is copied. */
export function Curl({ request, system }: Props): React.JSX.Element {
  const person = usePageState((state) => state.person);
  const write = (shown: Immutable): string => system.fn.requestSnippetGenerator_curl_bash(shown);
  const signIn = curlSignIn(request, person);
  return (
    <div className="curl-command lk-curl">
      <h4>Curl</h4>
      <CopyButton text={write(request) + signIn} label="Copy the curl command with its secrets">
        Copy
      </CopyButton>
      <pre className="curl microlight" tabIndex={0}>
        {write(maskRequest(request)) + signIn}
      </pre>
    </div>
  );
}

/** curl has no session: it signs in by name and asks for the password, or with a token from the environment. */
function curlSignIn(request: Immutable, person: Person | null | undefined): string {
  const headers = headersOf(request);
  const signsIn = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  if (signsIn || !person || !pathBelow(String(request.get('url'))).startsWith('/v1/')) return '';
  return person.method === 'password'
    ? ` \\\n  -u '${person.username.replaceAll("'", String.raw`'\''`)}'`
    : ` \\\n  -H "Authorization: Bearer $TOKEN"`;
}

function maskRequest(request: Immutable): Immutable {
  const body = request.get('body');
  const masked = typeof body === 'string' ? request.set('body', maskBody(body)) : request;
  let headers = request.get('headers') as Immutable | undefined;
  for (const [name, value] of Object.entries(maskHeaders(headersOf(request)))) headers = headers?.set(name, value);
  return masked.set('headers', headers);
}

function headersOf(request: Immutable): Record<string, string> {
  const headers = request.get('headers') as Immutable | undefined;
  return (headers?.toJS() ?? {}) as Record<string, string>;
}
