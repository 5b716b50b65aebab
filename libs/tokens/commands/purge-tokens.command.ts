import { Command } from '@nestjs/cqrs';

/** Deletes the tokens of the credentials that these outbox rows tell of. @returns how many rows were still to be done */
export class PurgeTokensCommand extends Command<number> {
  constructor(readonly outboxIds: readonly string[]) {
    super();
  }
}
