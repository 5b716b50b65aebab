import { Global, Module } from '@nestjs/common';
import { Fence } from './fence.ts';
import { FenceSource, StoreFenceSource } from './fence-source.ts';

@Global()
@Module({
  providers: [Fence, { provide: FenceSource, useClass: StoreFenceSource }],
  exports: [Fence],
})
export class FenceModule {}
