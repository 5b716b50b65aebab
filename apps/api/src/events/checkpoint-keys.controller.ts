import { Controller, Get, Header } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { ListCheckpointKeysQuery } from '#audit';
import { Public } from '../http/access.ts';
import { checkpointKeysAnswer } from './events.dto.ts';

@ApiTags('Events')
@Controller('.well-known')
@Public()
export class CheckpointKeysController {
  constructor(private readonly queries: QueryBus) {}

  @Get('latchkey-checkpoint-keys')
  // RFC 7517 8.5.2
  @Header('content-type', 'application/jwk-set+json')
  @Header('cache-control', 'public, max-age=300')
  @ApiOperation({
    summary: 'Public keys of the checkpoints',
    description: 'The current key and retired keys. Checkpoints that a key signed before its retirement stay valid.',
  })
  @ApiProduces('application/jwk-set+json')
  @ApiOkResponse({ description: 'A JWK Set.', standardSchema: checkpointKeysAnswer })
  async keys(): Promise<object> {
    return { keys: await this.queries.execute(new ListCheckpointKeysQuery()) };
  }
}
