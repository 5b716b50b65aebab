import { Module } from '@nestjs/common';
import { GuessLimiter } from './guess-limiter.ts';

@Module({ providers: [GuessLimiter], exports: [GuessLimiter] })
export class GuessLimitsModule {}
