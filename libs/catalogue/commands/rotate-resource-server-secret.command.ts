import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion, Rotation } from '#kernel';
import type { ResourceServerWithSecret } from '../queries/resource-server.view.ts';

export class RotateResourceServerSecretCommand extends Command<ResourceServerWithSecret> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly expected: ExpectedVersion,
    readonly rotation: Rotation,
  ) {
    super();
  }
}
