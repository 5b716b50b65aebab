import { Injectable, SetMetadata, UseGuards, UseInterceptors, applyDecorators } from '@nestjs/common';
import type { CallHandler, CanActivate, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ApiOkResponse, ApiQuery } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { catchError, from, map } from 'rxjs';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import { DryRuns } from '#access';
import { DryRunRollback } from '#events';
import { DomainError } from '#kernel';
import { dryRunAnswer } from './dry-run-answer.ts';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { DRY_RUNNABLE } from './stray-query.guard.ts';

/** The answer of a route without `dryRun`. Omit it for routes that answer 204. */
interface RealAnswer {
  readonly description: string;
  readonly schema: z.ZodType;
}

/**
 * Takes `?dryRun=true`: the command runs as always, with the same errors, and is rolled back instead of committed
 * (docs/adr/0055-dry-run.md). The command must pass its context to the unit of work.
 */
export function DryRunnable(real?: RealAnswer): MethodDecorator {
  const description = 'With `dryRun=true`: what the call would change and refuse.';
  return applyDecorators(
    SetMetadata(DRY_RUNNABLE, true),
    UseGuards(DryRunGuard),
    UseInterceptors(DryRunInterceptor),
    ApiQuery({
      name: 'dryRun',
      required: false,
      description:
        '`true`: change nothing and write no event. The answer is then a `DryRun`: the events that the call would ' +
        'write, and what was seen in the last 24 hours and would be refused. Errors are those of the real call.',
      schema: { type: 'boolean', default: false },
    }),
    real === undefined
      ? ApiOkResponse({ description, standardSchema: dryRunAnswer })
      : ApiOkResponse({
          description: `${real.description} ${description}`,
          standardSchema: z.union([real.schema, dryRunAnswer]),
        }),
  );
}

/** Reads `dryRun`, and hides it from the schema of the other query parameters. */
@Injectable()
export class DryRunGuard implements CanActivate {
  constructor(private readonly dryRuns: DryRuns) {}

  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<LatchkeyRequest>();
    const { dryRun = 'false', ...others } = request.query as Readonly<Record<string, unknown>>;
    if (dryRun !== 'true' && dryRun !== 'false') {
      throw DomainError.invalid('/query/dryRun', 'invalid', 'must be true or false');
    }
    request.query = others;
    if (dryRun === 'true') request.dryRun = this.dryRuns.begin();
    return true;
  }
}

@Injectable()
export class DryRunInterceptor implements NestInterceptor {
  constructor(private readonly dryRuns: DryRuns) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const { dryRun } = http.getRequest<LatchkeyRequest>();
    if (dryRun === undefined) return next.handle();
    return next.handle().pipe(
      map(() => {
        throw new Error('the command of a dry run was not rolled back');
      }),
      catchError((error: unknown) => {
        if (!(error instanceof DryRunRollback)) throw error;
        http.getResponse<FastifyReply>().code(200);
        return from(this.dryRuns.describe(dryRun));
      }),
    );
  }
}
