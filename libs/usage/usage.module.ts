import { Module } from '@nestjs/common';
import { LastUseRepository } from './persistence/last-use.repository.ts';
import { UsageRepository } from './persistence/usage.repository.ts';
import { UsageReader } from './usage-reader.ts';
import { UsageRecorder } from './usage-recorder.ts';

@Module({
  providers: [LastUseRepository, UsageReader, UsageRecorder, UsageRepository],
  exports: [UsageReader, UsageRecorder],
})
export class UsageModule {}
