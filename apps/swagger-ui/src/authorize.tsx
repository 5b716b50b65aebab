import { Modal } from './modal.tsx';
import { React } from './react.ts';
import type { Action, AnyComponent, AnyProps, Immutable } from './system.ts';

/** The sign-ins of people at this page: they have the session cookie, and need no password typed here. */
const BY_SESSION = ['person', 'session'];

const isOffered = (scheme: Immutable): boolean => !BY_SESSION.includes(scheme.keySeq().first());

/** What *Authorize* offers: clients, resource servers and bearer tokens. */
export function offeredSignIns(original: () => Immutable | undefined): Action {
  return () => original()?.filter(isOffered);
}

/** The padlock of an operation is for what *Authorize* offers. */
export function padlockForOffered(Original: AnyComponent): AnyComponent {
  return function OperationSummary(props: AnyProps) {
    const operation = props['operationProps'] as Immutable;
    const security = operation.get('security') as Immutable | undefined;
    return <Original {...props} operationProps={operation.set('security', security?.filter(isOffered))} />;
  };
}

interface PopupProps extends AnyProps {
  readonly authSelectors: { readonly shownDefinitions: () => Immutable };
  readonly authActions: { readonly showDefinitions: (shown: boolean) => void };
  readonly getComponent: (name: string) => AnyComponent;
}

const TITLE_ID = 'lk-authorize-title';

/**
 * The dialog in place of that of Swagger UI, which lets the focus go to the page behind it, begins at its last field
 * and has a button without a name.
 */
export function signInDialog(): AnyComponent {
  return function AuthorizationPopup(given: AnyProps) {
    const { authSelectors, authActions, getComponent } = given as PopupProps;
    const [SignIns, CloseIcon] = [getComponent('auths'), getComponent('CloseIcon')];
    const box = React.useRef<HTMLDivElement>(null);
    React.useEffect(() => {
      box.current?.querySelector('input')?.focus();
      box.current?.scrollTo({ top: 0 });
    }, []);
    const close = (): void => authActions.showDefinitions(false);
    return (
      <Modal className="lk-authorize" labelledBy={TITLE_ID} onEscape={close}>
        <div className="modal-ux-header">
          <h2 id={TITLE_ID}>Authorize OAuth calls</h2>
          <button type="button" className="close-modal" aria-label="Close" onClick={close}>
            <CloseIcon />
          </button>
        </div>
        <div ref={box} className="modal-ux-content">
          {authSelectors
            .shownDefinitions()
            .valueSeq()
            .toArray()
            .map((definitions, index) => (
              <SignIns key={index} {...given} definitions={definitions} />
            ))}
        </div>
      </Modal>
    );
  };
}

/** The buttons of the dialog are called what they say; Swagger UI names them differently for screen readers. */
export function buttonNamedByItsText(Original: AnyComponent): AnyComponent {
  return function Button(props: AnyProps) {
    const isOfDialog = String(props['className']).includes('modal-btn');
    return <Original {...props} {...(isOfDialog ? { 'aria-label': undefined } : {})} />;
  };
}

interface FormProps extends AnyProps {
  readonly name: string;
  readonly schema: Immutable;
  readonly authorized?: Immutable;
  readonly onChange: (typed: object) => void;
  readonly getComponent: (name: string, container?: boolean) => AnyComponent;
}

/** One sign-in of the dialog, with fields of its own: Swagger UI gives those of all sign-ins the same ids. */
export function signInForm(): AnyComponent {
  return function HttpAuth(given: AnyProps) {
    const { name, schema, authorized, onChange, getComponent } = given as FormProps;
    const Markdown = getComponent('Markdown', true);
    const basic = schema.get('scheme') === 'basic';
    const [typed, setTyped] = React.useState({ username: '', password: '' });
    const type = (member: 'username' | 'password', text: string): void => {
      const value = { ...typed, [member]: text };
      setTyped(value);
      onChange({ name, schema, value: basic ? value : value.password });
    };
    const done = authorized?.get(name) !== undefined;
    return (
      <div className="lk-sign-in">
        <h3>
          <code>{name}</code> {basic ? '(HTTP Basic)' : '(Bearer)'}
        </h3>
        <Markdown source={schema.get('description')} />
        {done && <p className="lk-known">Authorized</p>}
        {!done && basic && (
          <Field name={name} label="User name" type="text" onType={(text) => type('username', text)} />
        )}
        {!done && (
          <Field
            name={name}
            label={basic ? 'Secret' : 'Token'}
            type="password"
            onType={(text) => type('password', text)}
          />
        )}
      </div>
    );
  };
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'password';
  readonly onType: (text: string) => void;
}

function Field({ name, label, type, onType }: FieldProps): React.JSX.Element {
  const id = `lk-${name}-${label.replace(' ', '-').toLowerCase()}`;
  return (
    <div className="lk-field">
      <label htmlFor={id}>{label}</label>
      <input id={id} type={type} autoComplete="off" onChange={(event) => onType(event.target.value)} />
    </div>
  );
}
