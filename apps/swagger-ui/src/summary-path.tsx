import { React } from './react.ts';
import type { AnyComponent, AnyProps, Immutable } from './system.ts';

/**
 * The path of a call in its summary. Swagger UI makes it a link inside of a button, which a keyboard cannot tell apart.
 */
export function plainPath(): AnyComponent {
  return function OperationSummaryPath(props: AnyProps) {
    const operation = props['operationProps'] as Immutable;
    const path = String(operation.get('path'));
    const deprecated = operation.get('deprecated') === true ? ' opblock-summary-path__deprecated' : '';
    return (
      <span className={`opblock-summary-path${deprecated}`} data-path={path}>
        {path.replaceAll('/', '\u200b/')}
      </span>
    );
  };
}
