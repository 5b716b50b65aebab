import { Injectable } from '@nestjs/common';
import { Fence, findAfter } from '#fence';
import type { CredentialState } from '../domain/credential.ts';
import { CredentialRepository } from './credential.repository.ts';
import { toState } from './credential.schema.ts';
import type { CredentialDocument } from './credential.schema.ts';

/** Finds the credential that something which leaked belongs to, as the last fence or a later one found it. */
@Injectable()
export class CredentialLookup {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly fence: Fence,
  ) {}

  /** @param digest of one of its secrets, live or not */
  bySecret(digest: string): Promise<CredentialState | undefined> {
    return this.find({ 'secrets.digest': digest });
  }

  byClientId(clientId: string): Promise<CredentialState | undefined> {
    return this.find({ clientId });
  }

  private async find(filter: object): Promise<CredentialState | undefined> {
    const { floor } = await this.fence.ready();
    const [document] = (await findAfter(floor, this.credentials.model, { filter, atMost: 1 })).documents;
    return document === undefined ? undefined : toState(document as CredentialDocument);
  }
}
