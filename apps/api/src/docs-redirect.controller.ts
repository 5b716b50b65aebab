import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from './http/access.ts';
import { ServesAlways } from './http/blocked.guard.ts';

/** Redirects a browser that opens the service to Swagger UI. */
@ApiExcludeController()
@Controller()
@ServesAlways()
@Public()
export class DocsRedirectController {
  @Get()
  @Redirect('/docs', 302)
  toDocs(): void {
    // the decorator does the redirect
  }
}
