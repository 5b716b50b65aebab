import { usePageState } from './page-state.ts';
import { React } from './react.ts';
import { signInAddress, signOut } from './session.ts';

/** Who is signed in, and the way in or out. */
export function Account(): React.JSX.Element {
  const person = usePageState((state) => state.person);
  const [failed, setFailed] = React.useState(false);
  if (person === undefined) return <p className="lk-account" />;
  if (person === null) {
    return (
      <p className="lk-account">
        <span>Not signed in</span>
        {/* the address is made at the click: it brings one back to the call that is open then */}
        <a
          className="lk-button"
          href={signInAddress()}
          onClick={(event) => (event.currentTarget.href = signInAddress())}
        >
          Sign in
        </a>
      </p>
    );
  }
  const leave = (): void => void signOut().then((done) => setFailed(!done));
  return (
    <p className="lk-account">
      <span>
        Signed in as <strong>{person.username}</strong>
        {person.roles.length > 0 && <span className="lk-roles"> ({person.roles.join(', ')})</span>}
      </span>
      <button type="button" className="lk-button" onClick={leave}>
        Sign out
      </button>
      {failed && <span role="alert">The service did not answer. Try again.</span>}
    </p>
  );
}
