import { isReadable, listPath, namedParts, pathValues, setPathValue } from './call.ts';
import { kindOf, parametersIn } from './kinds.ts';
import { usePageState } from './page-state.ts';
import type { Thing } from './page-state.ts';
import { React } from './react.ts';
import type { AnyComponent, AnyProps, Immutable, PathMethod, System } from './system.ts';
import { loadChoices, lookUp } from './things.ts';
import type { Choices } from './things.ts';

interface RowProps extends AnyProps {
  readonly rawParam: Immutable;
  readonly pathMethod: PathMethod;
  readonly isExecute?: boolean;
}

/**
 * The row of a parameter; under one that names a thing stand a list to choose from, and the name of what was typed or
 * chosen.
 */
export function rowWithChooser(Original: AnyComponent, system: System): AnyComponent {
  return function ParameterRow(given: AnyProps) {
    const { rawParam, pathMethod, isExecute } = given as RowProps;
    const name = String(rawParam.get('name'));
    const chooses = isExecute === true && rawParam.get('in') === 'path' && kindOf(name) !== undefined;
    return (
      <>
        <Original {...given} />
        {chooses && (
          <tr className="lk-chooser-row">
            <td />
            <td>
              <Chooser system={system} pathMethod={pathMethod} parameter={name} />
            </td>
          </tr>
        )}
      </>
    );
  };
}

interface ChooserProps {
  readonly system: System;
  readonly pathMethod: PathMethod;
  readonly parameter: string;
}

function Chooser({ system, pathMethod, parameter }: ChooserProps): React.JSX.Element {
  const [template] = pathMethod;
  const values = pathValues(system, pathMethod);
  const list = listPath(system, template, parameter, values);
  const part = namedParts(template, values).find((each) => each.parameter === parameter);
  const path = part?.path;
  const things = usePageState((state) => state.things);
  const [choices, refresh] = useChoices(parameter, list);
  React.useEffect(() => {
    if (path !== undefined && isReadable(system, template, parameter)) void lookUp(parameter, path);
  }, [path]);
  const choose = (id: string): void => {
    setPathValue(system, pathMethod, parameter, id);
    // what was chosen below another thing is not below this one
    const order = parametersIn(template);
    system.specActions.clearValidateParams(pathMethod);
    for (const below of order.slice(order.indexOf(parameter) + 1)) setPathValue(system, pathMethod, below, null);
  };
  const noun = kindOf(parameter)?.noun ?? '';
  return (
    <div className="lk-chooser">
      {list !== undefined && (
        <select
          aria-label={`Choose ${/^[aeioAEIO]/.test(noun) ? 'an' : 'a'} ${noun}`}
          value={choices?.items.some(({ id }) => id === part?.id) === true ? part?.id : ''}
          onChange={(event) => choose(event.target.value)}
          onFocus={refresh}
        >
          <option value="">{promptFor(noun, choices)}</option>
          {choices?.items.map(({ id, name }) => (
            <option key={id} value={id}>
              {name} ({id})
            </option>
          ))}
        </select>
      )}
      {part !== undefined && path !== undefined && <Known noun={noun} thing={things[path]} />}
    </div>
  );
}

/** The list is read when the form opens, and again each time that the field gets the focus. */
function useChoices(parameter: string, list: string | undefined): [Choices | undefined, () => void] {
  const [choices, setChoices] = React.useState<Choices>();
  const person = usePageState((state) => state.person?.username);
  const load = (): void => {
    if (list !== undefined) void loadChoices(parameter, list).then(setChoices);
  };
  React.useEffect(load, [list, person]);
  return [choices, load];
}

function promptFor(noun: string, choices: Choices | undefined): string {
  if (choices === undefined) return 'Loading…';
  if (choices.gap === 'signed-out') return 'Sign in to choose from a list';
  if (choices.gap === 'unreachable') return 'The list cannot be read; type the id';
  if (choices.items.length === 0) return `There is no ${noun} yet`;
  return choices.gap === 'more' ? `Choose one of the first ${choices.items.length}, or type an id…` : 'Choose…';
}

function Known({
  noun,
  thing,
}: {
  readonly noun: string;
  readonly thing: Thing | undefined;
}): React.JSX.Element | null {
  if (thing?.state === 'found') return <span className="lk-known">{thing.name}</span>;
  if (thing?.state === 'unknown')
    return <span className="lk-unknown">There is no such {noun}, or you may not see it.</span>;
  return null;
}
