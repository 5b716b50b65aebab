export { DecideAccessReviewCommand, REVIEW_VERDICTS, RepeatVerdictQuery } from './decide-access-review.command.ts';
export { ReviewsModule } from './reviews.module.ts';
export { TakeAccessReviewCommand } from './take-access-review.command.ts';
