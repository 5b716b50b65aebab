/** oidc-provider comes without types; this is what the tests use of it. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    on(event: 'grant.success', listener: (context: { oidc: { params?: object }; body?: object }) => void): this;
    callback(): RequestListener;
  }
}
