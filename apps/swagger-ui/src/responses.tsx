import { React } from './react.ts';
import type { AnyComponent, AnyProps, Immutable } from './system.ts';

/** The table of possible answers, folded: a call may have fifteen. The answer that came is always open. */
export function foldedResponses(Original: AnyComponent): AnyComponent {
  return function Responses(props: AnyProps) {
    const [open, setOpen] = React.useState(false);
    const { size } = props['responses'] as Immutable;
    return (
      <div className={open ? 'lk-responses' : 'lk-responses lk-folded'}>
        <Original {...props} />
        <button type="button" className="lk-button lk-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide the possible answers' : `Show the possible answers (${size})`}
        </button>
      </div>
    );
  };
}
