import { namedParts, pathValues } from './call.ts';
import type { NamedPart } from './call.ts';
import { questionBefore } from './confirmation.ts';
import { usePageState } from './page-state.ts';
import type { Thing } from './page-state.ts';
import { ask } from './question.tsx';
import { React } from './react.ts';
import type { AnyComponent, AnyProps, Immutable, PathMethod, System } from './system.ts';

interface ExecuteProps extends AnyProps {
  readonly path: string;
  readonly method: string;
  readonly operation: Immutable;
  readonly onExecute?: () => void;
  readonly specActions: { readonly execute: (call: AnyProps) => unknown };
}

/** *Execute*, with what the call acts on in front of it; a call that takes something away asks before it is sent. */
export function guardedExecute(Original: AnyComponent, system: System): AnyComponent {
  return function Execute(given: AnyProps) {
    const props = given as ExecuteProps;
    const { path, method, operation } = props;
    const pathMethod: PathMethod = [path, method];
    const execute = async (call: AnyProps): Promise<void> => {
      const question = await questionBefore(system, pathMethod, operation);
      if (question !== undefined && !(await ask(question))) return;
      props.onExecute?.();
      props.specActions.execute(call);
    };
    return (
      <>
        {method !== 'get' && <ActsOn parts={namedParts(path, pathValues(system, pathMethod))} />}
        <Original {...props} onExecute={undefined} specActions={{ ...props.specActions, execute }} />
      </>
    );
  };
}

/** Says by name and id what a write is going to act on. */
function ActsOn({ parts }: { readonly parts: readonly NamedPart[] }): React.JSX.Element | null {
  const things = usePageState((state) => state.things);
  const filled = parts.filter(({ path }) => path !== undefined);
  if (filled.length === 0) return null;
  return (
    <p className="lk-acts-on">
      Acts on{' '}
      {filled.toReversed().map((part, index) => (
        <React.Fragment key={part.parameter}>
          {index > 0 && ' of '}
          <PartName part={part} thing={things[part.path ?? '']} />
        </React.Fragment>
      ))}
    </p>
  );
}

function PartName({ part, thing }: { readonly part: NamedPart; readonly thing: Thing | undefined }): React.JSX.Element {
  return (
    <span>
      {part.noun} {thing?.state === 'found' && <strong>{thing.name} </strong>}
      <code>{part.id}</code>
      {thing?.state === 'unknown' && ' (not found)'}
    </span>
  );
}
