import type * as ReactModule from 'react';

/** The parts of an Immutable.js collection that are used here. */
export interface Immutable {
  get(key: string): unknown;
  getIn(path: readonly string[]): unknown;
  set(key: string, value: unknown): Immutable;
  filter(keep: (value: Immutable) => boolean): Immutable;
  some(holds: (value: Immutable) => boolean): boolean;
  keySeq(): { first(): string };
  valueSeq(): { toArray(): Immutable[] };
  toJS(): unknown;
  readonly size: number;
}

/** The path template of an operation and its method in lower case: how Swagger UI names an operation. */
export type PathMethod = readonly [path: string, method: string];

/** What Swagger UI keeps of an answer. One that is not 2xx comes inside of an error. */
export interface UiResponse extends UiAnswer {
  readonly error?: boolean;
  readonly err?: { readonly response?: UiAnswer };
}

interface UiAnswer {
  readonly ok?: boolean;
  readonly status?: number;
  readonly url?: string;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is about to be built: `parameters` are named `in.name`. */
export interface UiExecution {
  readonly pathName: string;
  readonly method: string;
  readonly operation: Immutable;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export type AnyProps = Record<string, unknown>;
export type AnyComponent = ReactModule.ComponentType<AnyProps>;
export type Action = (...args: never[]) => unknown;

/** Swagger UI as plug-ins see it, as far as it is used here. */
export interface System {
  readonly React: typeof ReactModule;
  readonly Im: { Map(members: object): Immutable };
  getComponent(name: string, container?: boolean): AnyComponent;
  readonly specSelectors: {
    info(): Immutable;
    specJson(): Immutable;
    securityDefinitions(): Immutable;
    parameterWithMetaByIdentity(pathMethod: PathMethod, parameter: Immutable): Immutable | undefined;
    specResolvedSubtree(path: readonly string[]): Immutable | undefined;
  };
  readonly specActions: {
    clearValidateParams(pathMethod: PathMethod): void;
    changeParamByIdentity(pathMethod: PathMethod, parameter: Immutable, value: string | null, isXml: boolean): void;
  };
  readonly oas3Selectors: { requestBodyValue(path: string, method: string): Immutable | string | null | undefined };
  readonly oas3Actions: { setRequestBodyValue(change: { value: Immutable; pathMethod: PathMethod }): void };
  readonly authSelectors: { authorized(): Immutable };
  readonly authActions: { authorize(typed: object): void };
  readonly fn: { requestSnippetGenerator_curl_bash(request: Immutable): string };
}

/** A Swagger UI plug-in, as far as the parts here are. */
export interface Plugin {
  readonly components?: Readonly<Record<string, unknown>>;
  readonly wrapComponents?: Readonly<Record<string, (original: AnyComponent, system: System) => AnyComponent>>;
  readonly statePlugins?: Readonly<
    Record<
      string,
      {
        readonly wrapActions?: Readonly<Record<string, (original: never, system: System) => Action>>;
        readonly wrapSelectors?: Readonly<Record<string, (original: never, system: System) => Action>>;
      }
    >
  >;
}
