import { Command } from '@nestjs/cqrs';
import type { CallContext } from '#kernel';
import type { NewResourceServer } from '../domain/resource-server.ts';
import type { ResourceServerWithSecret } from '../queries/resource-server.view.ts';

export class CreateResourceServerCommand extends Command<ResourceServerWithSecret> {
  constructor(
    readonly context: CallContext,
    readonly resourceServer: NewResourceServer,
  ) {
    super();
  }
}
