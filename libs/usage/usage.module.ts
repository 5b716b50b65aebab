import { Module } from '@nestjs/common';
import { UsageRepository } from './persistence/usage.repository.ts';
import { UsageReader } from './usage-reader.ts';
import { UsageRecorder } from './usage-recorder.ts';

@Module({ providers: [UsageReader, UsageRecorder, UsageRepository], exports: [UsageReader, UsageRecorder] })
export class UsageModule {}
