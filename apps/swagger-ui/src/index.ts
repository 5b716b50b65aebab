import { adaptDocument } from './adapt-document.ts';
import type { OpenApiDocument } from './adapt-document.ts';
import { learnFrom } from './answers.ts';
import { buttonNamedByItsText, offeredSignIns, padlockForOffered, signInDialog, signInForm } from './authorize.tsx';
import { rowWithChooser } from './chooser.tsx';
import { Curl } from './curl.tsx';
import { guardedExecute } from './execute.tsx';
import { beginAttempt, withHeaders } from './filled-in.ts';
import { pageLayout } from './layout.tsx';
import { lastAccessToken } from './memory.ts';
import { React, setReact } from './react.ts';
import { foldedResponses } from './responses.tsx';
import { pathBelow } from './service.ts';
import { loadPerson } from './session.ts';
import type { Action, AnyComponent, AnyProps, Immutable, PathMethod, Plugin, System } from './system.ts';
import type { UiExecution, UiResponse } from './system.ts';
import { plainPath } from './summary-path.tsx';
import { utf8Basic } from './utf8-basic.ts';

/** A request as Swagger UI hands it to its interceptor, as far as it is used here. */
interface UiRequest {
  readonly url: string;
  headers?: Readonly<Record<string, string>>;
  credentials?: 'same-origin' | 'omit';
}

/** What Swagger UI loads as its one plug-in. */
function plugin(system: System): Plugin {
  setReact(system.React);
  void loadPerson();
  // a person may have signed in or out in another tab
  addEventListener('focus', () => void loadPerson());
  return {
    components: { LatchkeyLayout: pageLayout(system) },
    wrapComponents: {
      Button: buttonNamedByItsText,
      HttpAuth: signInForm,
      OperationSummary: padlockForOffered,
      OperationSummaryPath: plainPath,
      authorizationPopup: signInDialog,
      curl: (_original, whole) => (props) =>
        React.createElement(Curl, { request: props['request'] as Immutable, system: whole }),
      execute: guardedExecute,
      parameterRow: rowWithChooser,
      parameters: parametersWithAttempts,
      responses: foldedResponses,
    },
    statePlugins: {
      auth: { wrapActions: { authorize: utf8Basic }, wrapSelectors: { definitionsToAuthorize: offeredSignIns } },
      spec: { wrapActions: specActions },
    },
  };
}

const specActions: Record<string, (original: never, system: System) => Action> = {
  updateJsonSpec: (original: Action) => (document: OpenApiDocument) => original(adaptDocument(document) as never),
  executeRequest: (original: Action, system: System) => (execution: UiExecution) =>
    original(withHeaders(system, execution) as never),
  setResponse:
    (original: (path: string, method: string, response: UiResponse) => unknown, system: System) =>
    (path: string, method: string, response: UiResponse) => {
      learnFrom(system, [path, method], response);
      return original(path, method, response);
    },
};

/** The form of a call; each *Try it out* begins an attempt. */
function parametersWithAttempts(Original: AnyComponent, system: System): AnyComponent {
  return function Parameters(props: AnyProps) {
    const tries = props['tryItOutEnabled'] === true;
    React.useEffect(() => {
      if (tries) beginAttempt(system, props['pathMethod'] as PathMethod);
    }, [tries]);
    return React.createElement(Original, props);
  };
}

/**
 * The session cookie goes with calls of people only, and never beside another sign-in. A call through a gateway gets
 * the last access token, unless one was authorized.
 */
function onRequest(request: UiRequest): UiRequest {
  const path = pathBelow(request.url);
  const signedIn = Object.keys(request.headers ?? {}).some((name) => name.toLowerCase() === 'authorization');
  const token = lastAccessToken();
  if (path === '/oauth2/forward-auth' && !signedIn && token !== undefined) {
    request.headers = { ...request.headers, Authorization: `Bearer ${token}` };
  }
  request.credentials = path.startsWith('/v1/') && !signedIn ? 'same-origin' : 'omit';
  return request;
}

Object.assign(globalThis, { latchkeyPage: { plugin, onRequest } });
