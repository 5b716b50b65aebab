import { copyText } from './copy.ts';
import { React } from './react.ts';

const SHOWN_MS = 2_000;

/** Copies a text and says so. @param label what is copied, for those who hear the page */
export function CopyButton({ text, label, children }: Props): React.JSX.Element {
  const [result, setResult] = React.useState<string | null>(null);
  const copy = (): void => {
    void copyText(text).then((copied) => {
      setResult(copied ? 'Copied' : 'Not copied: select it and press Ctrl+C');
      setTimeout(() => setResult(null), SHOWN_MS);
    });
  };
  return (
    <button type="button" className="lk-button lk-copy" aria-label={label} onClick={copy}>
      <span aria-live="polite">{result ?? children}</span>
    </button>
  );
}

interface Props {
  readonly text: string;
  readonly label: string;
  readonly children: string;
}
