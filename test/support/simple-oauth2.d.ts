/** The parts of simple-oauth2 that the tests use; it has no types of its own. */
declare module 'simple-oauth2' {
  export interface ClientToken {
    readonly token: Readonly<Record<string, unknown>>;
    expired(): boolean;
    revoke(type: 'access_token'): Promise<void>;
  }
  export interface ClientCredentialsGrant {
    getToken(params: { readonly scope?: readonly string[] }): Promise<ClientToken>;
  }
  export interface GrantConfig {
    readonly client: { readonly id: string; readonly secret: string };
    readonly auth: { readonly tokenHost: string; readonly tokenPath: string; readonly revokePath: string };
    /** `json: true` accepts an empty answer of any type, as for a revocation; the default requires JSON. */
    readonly http: { readonly json: true };
    readonly options: { readonly credentialsEncodingMode: 'strict' | 'loose' };
  }
  const library: { readonly ClientCredentials: new (config: GrantConfig) => ClientCredentialsGrant };
  export default library;
}
