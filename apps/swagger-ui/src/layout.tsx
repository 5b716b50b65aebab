import { Account } from './account.tsx';
import { QuestionDialog } from './question.tsx';
import { React } from './react.ts';
import { SecretNotices } from './secret-notice.tsx';
import { basePath, stringOf } from './service.ts';
import type { AnyComponent, System } from './system.ts';

/** The page: who is signed in, then the calls, then what to read about them. */
export function pageLayout(system: System): AnyComponent {
  return function LatchkeyLayout() {
    const part = (name: string): React.JSX.Element => React.createElement(system.getComponent(name, true));
    const description = stringOf(system.specSelectors.info().get('description'));
    const Markdown = system.getComponent('Markdown', true);
    const SvgAssets = system.getComponent('SvgAssets');
    return (
      <div className="swagger-ui lk-page">
        <SvgAssets />
        <header className="lk-header">
          <h1 className="title">{String(system.specSelectors.info().get('title'))}</h1>
          <p className="lk-lead">
            Open a call, press <em>Try it out</em>, then <em>Execute</em>. <a href="#lk-about">How it works</a>
          </p>
          {part('AuthorizeBtnContainer')}
          <Account />
        </header>
        {part('errors')}
        <main id="operations" className="wrapper">
          <h2 className="lk-offscreen">Calls</h2>
          {part('operations')}
          <details id="lk-about" className="lk-about">
            <summary>How it works: the rules for every call</summary>
            <div className="info">
              <Markdown source={description} />
              <p>
                <a href={`${basePath()}/openapi.json`}>The OpenAPI document</a>
              </p>
            </div>
          </details>
          {part('Models')}
        </main>
        <SecretNotices system={system} />
        <QuestionDialog />
      </div>
    );
  };
}
