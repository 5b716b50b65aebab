import { React } from './react.ts';

interface ModalProps {
  readonly className: string;
  /** The id of its heading. */
  readonly labelledBy: string;
  /** Escape was pressed. */
  readonly onEscape: () => void;
  readonly children: React.ReactNode;
}

const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea, summary';

/**
 * A modal dialog. The rest of the page cannot be reached while it is shown; when it is gone, the focus returns to where
 * it was.
 */
export function Modal({ className, labelledBy, onEscape, children }: ModalProps): React.JSX.Element {
  const dialog = React.useRef<HTMLDialogElement>(null);
  React.useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // `close` gives the focus back, a removal from the page alone does not
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-labelledby={labelledBy}
      onKeyDown={keepFocus}
      onCancel={(event) => {
        event.preventDefault();
        onEscape();
      }}
    >
      {children}
    </dialog>
  );
}

/** After the last field comes the first one, not the window of the browser. */
function keepFocus(event: React.KeyboardEvent<HTMLDialogElement>): void {
  if (event.key !== 'Tab') return;
  const fields = [...event.currentTarget.querySelectorAll<HTMLElement>(FOCUSABLE)];
  const [edge, next] = event.shiftKey ? [fields[0], fields.at(-1)] : [fields.at(-1), fields[0]];
  if (document.activeElement !== edge) return;
  event.preventDefault();
  next?.focus();
}
