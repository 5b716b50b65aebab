import { Command } from '@nestjs/cqrs';
import type { CallContext, ExpectedVersion } from '#kernel';
import type { ResourceServerChanges } from '../domain/resource-server.ts';
import type { ResourceServerView } from '../queries/resource-server.view.ts';

export class EditResourceServerCommand extends Command<ResourceServerView> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly expected: ExpectedVersion,
    readonly changes: ResourceServerChanges,
  ) {
    super();
  }
}
