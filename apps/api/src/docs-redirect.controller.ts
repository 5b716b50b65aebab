import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from './http/access.ts';

/** Whoever opens the service in a browser wants its Swagger UI. */
@ApiExcludeController()
@Controller()
@Public()
export class DocsRedirectController {
  @Get()
  @Redirect('/docs', 302)
  toDocs(): void {
    // the decorator says it all
  }
}
