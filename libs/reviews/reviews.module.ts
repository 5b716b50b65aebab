import { Module } from '@nestjs/common';
import { AuditModule } from '#audit';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { DecideAccessReviewHandler, RepeatVerdictHandler } from './decide-access-review.command.ts';
import { ReviewSealer } from './review-sealer.ts';
import { TakeAccessReviewHandler } from './take-access-review.command.ts';

@Module({
  imports: [AuditModule, CatalogueModule, CredentialsModule],
  providers: [DecideAccessReviewHandler, RepeatVerdictHandler, ReviewSealer, TakeAccessReviewHandler],
})
export class ReviewsModule {}
