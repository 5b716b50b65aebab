import { Injectable } from '@nestjs/common';
import { ResourceServerRepository } from '#catalogue';
import { CredentialLookup, endOfSecret } from '#credentials';
import type { CredentialState } from '#credentials';
import { Fence } from '#fence';
import { Clock, clientIdOfAccessToken, digest } from '#kernel';
import { TokenRepository } from '#tokens';
import { hasPassed } from './domain/leak.ts';
import type { FoundLeak, LeakBlock, LeakOwner } from './domain/leak.ts';

/** Finds the credential or resource server to which a token or secret belongs. */
@Injectable()
export class MachineLeaks {
  constructor(
    private readonly credentials: CredentialLookup,
    private readonly resourceServers: ResourceServerRepository,
    private readonly tokens: TokenRepository,
    private readonly fence: Fence,
    private readonly clock: Clock,
  ) {}

  /** The token contains its credential's handle, so the owner is found even after the token has ended. */
  async token(text: string): Promise<FoundLeak | undefined> {
    const clientId = clientIdOfAccessToken(text);
    if (clientId === undefined) return undefined;
    const [token, credential] = await Promise.all([
      this.tokens.reader.fresh(digest(text)),
      this.credentials.byClientId(clientId),
    ]);
    if (credential === undefined) return undefined;
    const own = token?.credentialId === credential.id ? token : undefined;
    const nowMs = this.clock.nowMs();
    return {
      id: own?.id ?? null,
      belongsTo: ownerOf(credential),
      live: own !== undefined && !hasPassed(own.expiresAt, nowMs),
      expiresAt: own?.expiresAt ?? null,
      blocked: blockOf(credential, nowMs),
    };
  }

  async clientSecret(text: string): Promise<FoundLeak | undefined> {
    const key = digest(text);
    const credential = await this.credentials.bySecret(key);
    const secret = credential?.secrets.find((own) => own.digest === key);
    if (credential === undefined || secret === undefined) return undefined;
    const nowMs = this.clock.nowMs();
    const live = !hasPassed(secret.expiresAt, nowMs);
    const isTooOld = live && hasPassed(endOfSecret(secret, credential.inherited), nowMs);
    return {
      id: secret.id,
      belongsTo: ownerOf(credential),
      live,
      expiresAt: secret.expiresAt,
      blocked: blockOf(credential, nowMs) ?? (isTooOld ? 'too-old' : null),
    };
  }

  async resourceServerSecret(text: string): Promise<FoundLeak | undefined> {
    const key = digest(text);
    const server = await this.resourceServers.findBySecret(key, await this.fence.ready());
    const secret = server?.secrets.find((own) => own.digest === key);
    if (server === undefined || secret === undefined) return undefined;
    const { id, name } = server;
    return {
      id: secret.id,
      belongsTo: { type: 'resource-server', id, name, operationId: null, owner: null, contact: null },
      live: !hasPassed(secret.expiresAt, this.clock.nowMs()),
      expiresAt: secret.expiresAt,
      blocked: null,
    };
  }
}

function ownerOf({ id, name, operationId, owner, contact }: CredentialState): LeakOwner {
  return { type: 'credential', id, name, operationId, owner, contact };
}

function blockOf({ inherited, status, expiresAt }: CredentialState, nowMs: number): LeakBlock | null {
  if (hasPassed(expiresAt, nowMs)) return 'expired';
  if (inherited.suspended) return 'suspended';
  return status === 'disabled' ? 'disabled' : null;
}
