import type * as ReactModule from 'react';

/** The React that Swagger UI brings and hands to plug-ins: a second copy could not share its components. */
export let React: typeof ReactModule;

/** Called once, before anything is rendered. */
export function setReact(react: typeof ReactModule): void {
  React = react;
}
