import { Injectable, SetMetadata, UseInterceptors, applyDecorators } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { Query } from '@nestjs/cqrs';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { catchError, from, mergeMap, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { leaseRunOut } from '#fence';
import { DomainError, digest } from '#kernel';
import { IdempotencyKeys } from '#mongo';
import { withEtag } from './if-match.ts';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { withSecret } from './secret-fields.ts';
import type { SecretMember } from './secret-fields.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
const OPTIONS = Symbol('idempotency options');

/** The notice of a replayed answer, which cannot contain the secret. */
const SECRET_NOTICE =
  'This is a replay of an earlier request. The secret was shown once and is not stored; rotate it if you lost it.';

/** The stored answer of the first request: its body and the version of the resource. */
export type FirstAnswer = Readonly<Record<string, unknown>>;

export interface IdempotentOptions {
  /** Reads the resource that the first request created or changed. A replay shows its current state. */
  readonly read: (first: FirstAnswer) => Query<{ readonly version: number }>;
  /** The member of the answer with the secret. A replay answers 200 with null there. */
  readonly secretMember?: SecretMember;
  /**
   * Whether the command takes rights away. A replay then waits for the lease: the first answer may not have arrived.
   */
  readonly altersRights?: boolean;
}

/** Honours `Idempotency-Key`: within 24 hours, the same key and body have one effect. */
export function Idempotent(options: IdempotentOptions): MethodDecorator {
  const { secretMember } = options;
  return applyDecorators(
    SetMetadata(OPTIONS, options),
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        '1 to 255 visible ASCII characters, new for each request. A repeat with the same key and body within 24 hours ' +
        'has no second effect' +
        (secretMember === undefined
          ? ' and gets the same status.'
          : ` and answers 200 with \`${secretMember}: null\`, because the secret is not stored.`) +
        ' The replay shows the current state of the resource, or answers 410 if it was deleted.' +
        ' With another body: 422. While the first request is running: 409.',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: KEY.source },
    }),
  );
}

@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly keys: IdempotencyKeys,
    private readonly queries: QueryBus,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<LatchkeyRequest>();
    const header = request.headers['idempotency-key'];
    if (header === undefined) return next.handle();
    if (typeof header !== 'string' || !KEY.test(header)) {
      throw DomainError.invalid('/header/Idempotency-Key', 'invalid', 'Send 1 to 255 visible ASCII characters.');
    }
    if (request.dryRun !== undefined) return next.handle(); // it has no effect that could be repeated
    const who = request.principal?.userId ?? '';
    const id = digest(JSON.stringify([who, request.method, request.url, header]));
    // salt the digest with the key, which is not stored: a body may contain a password
    const bodyDigest = digest(JSON.stringify([header, request.body ?? null]));
    const reservation = await this.keys.reserve(id, bodyDigest);
    if (reservation.state === 'done') return of(await this.replay(context, reservation.result as FirstAnswer));
    request.idempotencyId = id;
    return next.handle().pipe(
      catchError((error: unknown) =>
        from(this.keys.release(id).catch(() => undefined)).pipe(
          mergeMap(() => {
            throw error;
          }),
        ),
      ),
    );
  }

  /** Answers with the current state, because the stored answer may be out of date. */
  private async replay(context: ExecutionContext, first: FirstAnswer): Promise<object> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const { read, secretMember, altersRights } = Reflect.getMetadata(
      OPTIONS,
      context.getHandler(),
    ) as IdempotentOptions;
    if (altersRights === true) await leaseRunOut(performance.now());
    const view = await this.queries.execute(read(first)).catch((error: unknown) => {
      throw error instanceof DomainError && error.code === 'not-found' ? deletedInTheMeantime() : error;
    });
    reply.header('idempotency-replayed', 'true');
    const body = withEtag(reply, view);
    const created = first['id'] ?? first['key'];
    if (reply.statusCode === 201 && typeof created === 'string') {
      reply.header('location', `${http.getRequest<LatchkeyRequest>().url.split('?', 1)[0] ?? ''}/${created}`);
    }
    if (secretMember === undefined) return body;
    reply.code(200);
    return { ...withSecret(body, secretMember, null), notice: SECRET_NOTICE };
  }
}

function deletedInTheMeantime(): DomainError {
  return new DomainError(
    'deleted-meanwhile',
    'The first request with this Idempotency-Key was successful, but the resource was deleted afterwards. ' +
      'To create another, send a new key.',
  );
}
