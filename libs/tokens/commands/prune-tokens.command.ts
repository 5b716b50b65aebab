import { Command } from '@nestjs/cqrs';

/** Deletes tokens that have run out, in batches. @returns how many were deleted */
export class PruneTokensCommand extends Command<number> {}
