/** What apps/swagger-ui puts on the page of Swagger UI. */
interface Page {
  readonly plugin: (system: object) => object;
  readonly onRequest: (request: object) => object;
}

/*
 * Both functions are sent to the browser as their own source text, so they may use nothing from around them.
 */

/** The plug-in of Swagger UI. */
export function loadPlugin(system: object): object {
  return (globalThis as unknown as { latchkeyPage: Page }).latchkeyPage.plugin(system);
}

/** Sees each request before it is sent. */
export function passRequest(request: object): object {
  return (globalThis as unknown as { latchkeyPage: Page }).latchkeyPage.onRequest(request);
}
