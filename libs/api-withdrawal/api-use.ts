import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { ResourceServerRepository } from '#catalogue';
import { CredentialRepository } from '#credentials';

/** Finds out whether an API is in use. */
@Injectable()
export class ApiUse {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly resourceServers: ResourceServerRepository,
  ) {}

  /** Whether a credential or a resource server names the API. */
  async isUsed(apiKey: string, session: ClientSession): Promise<boolean> {
    return (await this.credentials.usesApi(apiKey, session)) || this.resourceServers.usesApi(apiKey, session);
  }
}
