import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CONFIG } from '#config';
import type { Config } from '#config';
import type { DomainError } from '#kernel';
import type { ErrorFormat } from '../http/error-format.ts';
import { errorStatus } from '../http/error-status.ts';
import { sendProblem } from '../http/problem.ts';
import { PAGE_HEADERS, signInPage } from './sign-in-page.ts';

/**
 * A browser that is on its way through a sign-in gets the sign-in page with what went wrong; a program gets
 * problem+json.
 */
@Injectable()
export class PageErrorFormat implements ErrorFormat {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  covers(url: string): boolean {
    return url.startsWith('/auth/oidc/') || url.startsWith('/sign-in');
  }

  sendRefusal(): boolean {
    return false;
  }

  send(error: DomainError, reply: FastifyReply): void {
    const { accept } = reply.request.headers;
    if (accept?.includes('text/html') !== true) {
      sendProblem(reply, error, reply.request.id);
      return;
    }
    const { publicPath, oidc } = this.config;
    const page = { publicPath, returnTo: '/docs', hasSso: oidc?.client !== undefined, signedInAs: undefined };
    if (error.retryAfterSeconds !== undefined) reply.header('retry-after', String(error.retryAfterSeconds));
    void reply
      .code(errorStatus[error.code].status)
      .headers(PAGE_HEADERS)
      .send(signInPage({ ...page, problem: error.publicDetail }));
  }
}
