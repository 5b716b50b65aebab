import { React } from './react.ts';
import type { ShownSecret } from './shown-secrets.ts';

/** Who is signed in by the session cookie. */
export interface Person {
  readonly username: string;
  readonly roles: readonly string[];
  /** `password` or `oidc`. */
  readonly method: string;
}

/** What is known of a thing that a form names. */
export type Thing =
  { readonly state: 'found'; readonly name: string } | { readonly state: 'unknown' | 'signed-out' | 'unreachable' };

/** What is asked before a call is sent that takes something away. */
export interface Question {
  readonly title: string;
  /** What the call acts on, line by line. */
  readonly things: readonly string[];
  readonly consequence: string;
  /** The word on the button. */
  readonly verb: string;
  readonly answer: (agreed: boolean) => void;
}

/** What the page shows besides what Swagger UI keeps. */
export interface PageState {
  /** Who is signed in by the session cookie; null for nobody, undefined until it is known. */
  readonly person: Person | null | undefined;
  readonly secrets: readonly ShownSecret[];
  readonly question: Question | null;
  /** Things by their path below the service, as far as they were looked up. */
  readonly things: Readonly<Record<string, Thing>>;
}

let state: PageState = { person: undefined, secrets: [], question: null, things: {} };
const listeners = new Set<() => void>();

export function pageState(): PageState {
  return state;
}

export function updatePage(change: Partial<PageState>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** A part of the page's state; the component is rendered again when it changes. */
export function usePageState<T>(select: (state: PageState) => T): T {
  return React.useSyncExternalStore(subscribe, () => select(state));
}
