import { Api } from './api.ts';
import type { CredentialBody, SignIn } from './api.ts';
import { aCredential, aResourceServer, anApi, anOperation } from './builders.ts';
import { FORM, basicLine, sendRaw } from './raw-http.ts';
import type { RawAnswer } from './raw-http.ts';
import { startServices } from './service.ts';
import type { Service, ServiceOptions } from './service.ts';

/** Instances of the service with two APIs and one that may ask about both. */
export class OAuthWorld {
  private constructor(
    readonly services: readonly Service[],
    readonly apis: readonly Api[],
    /** Two keys of the catalogue, in their order. */
    readonly keys: readonly [string, string],
    readonly resourceServer: SignIn & { readonly id: string },
  ) {}

  static async start(instances = 1, options: ServiceOptions = {}): Promise<OAuthWorld> {
    const services = await startServices(instances, options);
    try {
      const apis = services.map(({ url }) => new Api(url));
      const [api] = apis as [Api];
      const keys = [(await anApi(api)).key, (await anApi(api)).key].sort() as [string, string];
      return new OAuthWorld(services, apis, keys, await aResourceServer(api, keys));
    } catch (error) {
      await Promise.all(services.map((service) => service.kill()));
      throw error;
    }
  }

  /** The same world at an instance that was started in place of the others. */
  movedTo(service: Service): OAuthWorld {
    return new OAuthWorld([service], [new Api(service.url)], this.keys, this.resourceServer);
  }

  get service(): Service {
    return this.services[0]!;
  }

  /** The first instance. */
  get api(): Api {
    return this.apis[0]!;
  }

  get url(): string {
    return this.service.url;
  }

  /** A credential with both APIs, in an operation of its own so that ten a test are no limit. */
  async client(overrides: object = {}): Promise<CredentialBody> {
    const { id } = await anOperation(this.api);
    return aCredential(this.api, id, { apis: this.keys, ...overrides });
  }

  /** A new token of the client. @throws Error unless it is issued */
  async tokenOf(client: CredentialBody, scope?: string): Promise<string> {
    const { status, body, text } = await this.api.token(client, scope);
    if (status !== 200) throw new Error(`no token: ${status} ${text}`);
    return body['access_token'] as string;
  }

  /** Whether the resource server is told that the token is good. @throws Error when it is not told either way */
  async isActive(
    token: string,
    { clientIp, instance = 0 }: { clientIp?: string; instance?: number } = {},
  ): Promise<boolean> {
    const { status, body, text } = await this.apis[instance]!.introspect(this.resourceServer, token, clientIp);
    if (status !== 200) throw new Error(`no verdict: ${status} ${text}`);
    return body['active'] === true;
  }

  /** A form POST, byte for byte. @param pair of HTTP Basic, or header lines in its place */
  form(path: string, pair: string | readonly string[], body: string): Promise<RawAnswer> {
    const lines = typeof pair === 'string' ? [basicLine(pair)] : pair;
    return sendRaw(this.url, { target: path, headers: [FORM, ...lines], body });
  }

  /** Ends the instances and removes what they stored. */
  async stop(): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop()));
    await this.service.database.drop();
  }
}

/** `id:secret`, as it stands in HTTP Basic. */
export function pairOf({ clientId, clientSecret }: CredentialBody): string {
  return `${clientId}:${clientSecret}`;
}

/** What `error` says in an OAuth answer; the whole answer where it is none. */
export function errorOf({ status, body }: { readonly status: number; readonly body: string }): string {
  try {
    return `${status} ${(JSON.parse(body) as { error: string }).error}`;
  } catch {
    return `${status} ${body}`;
  }
}
