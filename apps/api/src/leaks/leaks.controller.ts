import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ReportLeakCommand } from '#leaks';
import type { LeakReport } from '#leaks';
import { Roles } from '../http/access.ts';
import { callContext } from '../http/latchkey-request.ts';
import type { LatchkeyRequest } from '../http/latchkey-request.ts';
import { unauthenticated } from '../http/unauthenticated.ts';
import { leakReportAnswer, reportLeakBody } from './leaks.dto.ts';
import type { ReportLeakBody } from './leaks.dto.ts';

@ApiTags('Leaks')
@Controller('v1/leaks')
export class LeaksController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @Roles('platform-admin', 'operation-admin', 'auditor')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Report a leaked secret',
    description:
      'Returns the kind of a text, its owner and whether it is live. `revoke` ends it: a token or session ends, an API key is ' +
      'deleted, a secret ends together with every token of its credential (another live secret stays). It needs a ' +
      'platform-admin, or an operation-admin for its own operations; auditors may only ask. A text that you may not see is ' +
      'answered as unknown. The call may be repeated; it has no limit for wrong texts, because nobody can guess one.',
  })
  @ApiOkResponse({ description: 'What the text is.', standardSchema: leakReportAnswer })
  async report(
    @Req() request: LatchkeyRequest,
    @Body({ schema: reportLeakBody }) { text, revoke }: ReportLeakBody,
  ): Promise<LeakReport> {
    const { principal } = request;
    if (principal === undefined) throw unauthenticated();
    return this.commands.execute(new ReportLeakCommand(callContext(request), principal, text, revoke));
  }
}
