import { CopyButton } from './copy-button.tsx';
import { pageState, updatePage, usePageState } from './page-state.ts';
import { React } from './react.ts';
import type { ShownSecret } from './shown-secrets.ts';
import type { System } from './system.ts';

/** The sign-in of *Authorize* that a secret is for. */
const SCHEMES: Readonly<Record<string, string>> = { clientSecret: 'client', resourceServerSecret: 'resourceServer' };

/** The secrets that were shown once. They stay until they are dismissed, whatever else is sent from the page. */
export function SecretNotices({ system }: { readonly system: System }): React.JSX.Element | null {
  const secrets = usePageState((state) => state.secrets);
  React.useEffect(() => {
    if (secrets.length === 0) return undefined;
    // closing the page would lose them for good
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [secrets.length > 0]);
  return (
    <section className="lk-secrets" aria-label="Secrets shown once" aria-live="polite">
      {secrets.map((secret) => (
        <Notice key={secret.value} secret={secret} system={system} />
      ))}
    </section>
  );
}

function Notice({ secret, system }: { readonly secret: ShownSecret; readonly system: System }): React.JSX.Element {
  const { member, owner, userName, value } = secret;
  const dismiss = (): void => updatePage({ secrets: pageState().secrets.filter((each) => each !== secret) });
  return (
    <div className="lk-secret">
      <p>
        <strong>{owner}</strong>: shown once. Copy it now, it is stored nowhere.
      </p>
      <dl>
        {userName !== undefined && <Value name={userName.member} value={userName.value} />}
        <Value name={member} value={value} />
      </dl>
      <div className="lk-secret-actions">
        {SCHEMES[member] !== undefined && userName !== undefined && (
          <AuthorizeButton scheme={SCHEMES[member]} username={userName.value} password={value} system={system} />
        )}
        <button type="button" className="lk-button" onClick={dismiss}>
          I have stored it
        </button>
      </div>
    </div>
  );
}

function Value({ name, value }: { readonly name: string; readonly value: string }): React.JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code>{value}</code>
        <CopyButton text={value} label={`Copy ${name}`}>
          Copy
        </CopyButton>
      </dd>
    </div>
  );
}

interface AuthorizeProps {
  readonly scheme: string;
  readonly username: string;
  readonly password: string;
  readonly system: System;
}

/** Uses the secret for OAuth calls on this page, as if it were typed into *Authorize*. */
function AuthorizeButton({ scheme, username, password, system }: AuthorizeProps): React.JSX.Element {
  const [done, setDone] = React.useState(false);
  const authorize = (): void => {
    const schema = system.specSelectors.securityDefinitions().get(scheme);
    system.authActions.authorize({ [scheme]: { name: scheme, schema, value: { username, password } } });
    setDone(true);
  };
  return (
    <button type="button" className="lk-button" onClick={authorize} disabled={done}>
      {done ? `Authorized as ${scheme}` : `Authorize as ${scheme}`}
    </button>
  );
}
