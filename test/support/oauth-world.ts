import { Api } from './api.ts';
import type { CredentialBody, SignIn } from './api.ts';
import { aCredential, aResourceServer, anApi, anOperation } from './builders.ts';
import { FORM, basicLine, sendRaw } from './raw-http.ts';
import type { RawAnswer } from './raw-http.ts';
import { startServices } from './service.ts';
import type { Service, ServiceOptions } from './service.ts';

/** Instances of the service with two APIs and a resource server for both. */
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

  /** The same world at an instance that replaces the others. */
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

  /** A credential with both APIs, in its own operation, so that the limit of ten does not apply per test. */
  async client(overrides: object = {}): Promise<CredentialBody> {
    const { id } = await anOperation(this.api);
    return aCredential(this.api, id, { apis: this.keys, ...overrides });
  }

  /** Issues a token to the client. @throws Error if it is refused */
  async tokenOf(client: CredentialBody, scope?: string): Promise<string> {
    const { status, body, text } = await this.api.token(client, scope);
    if (status !== 200) throw new Error(`no token: ${status} ${text}`);
    return body['access_token'] as string;
  }

  /** Whether introspection says that the token is active. @throws Error for any other answer */
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

/** Has the secrets of a credential that nobody has asked about yet be so many days older, behind the service's back. */
export async function makeSecretsOlder(world: OAuthWorld, { id }: CredentialBody, days: number): Promise<void> {
  const credentials = await world.service.database.collection<{ _id: string }>('credentials');
  const older = { $subtract: ['$$secret.createdAt', days * 86_400_000] };
  const secrets = {
    $map: { input: '$secrets', as: 'secret', in: { $mergeObjects: ['$$secret', { createdAt: older }] } },
  };
  await credentials.updateOne({ _id: id }, [{ $set: { secrets } }]);
}

/** `id:secret`, as in HTTP Basic. */
export function pairOf({ clientId, clientSecret }: CredentialBody): string {
  return `${clientId}:${clientSecret}`;
}

/** The member `error` of an OAuth answer; the whole answer if there is none. */
export function errorOf({ status, body }: { readonly status: number; readonly body: string }): string {
  try {
    return `${status} ${(JSON.parse(body) as { error: string }).error}`;
  } catch {
    return `${status} ${body}`;
  }
}
