import { Injectable, SetMetadata, UseInterceptors, applyDecorators } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { catchError, from, mergeMap, of } from 'rxjs';
import type { Observable } from 'rxjs';
import { DomainError, digest } from '#kernel';
import { IdempotencyKeys } from '#mongo';
import type { LatchkeyRequest } from './latchkey-request.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
const SECRET_MEMBER = Symbol('secret member of the answer');

/** What a replayed answer says beside a secret that is not stored anywhere. */
const SECRET_NOTICE =
  'This is a replay of an earlier request. The secret was shown once and is stored nowhere; rotate it if it was lost.';

/**
 * Honours `Idempotency-Key` on a route that creates: the same key and body within 24 hours have one effect and one answer.
 *
 * @param secretMember the member of the answer that holds a secret, which a replay cannot repeat: it answers 200 with null there
 */
export function Idempotent(secretMember?: 'clientSecret' | 'resourceServerSecret'): MethodDecorator {
  return applyDecorators(
    SetMetadata(SECRET_MEMBER, secretMember),
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        '1 to 255 visible ASCII characters that you make for this one request. Sent again with the same body within 24 hours, it has no ' +
        'second effect and gets the same answer' +
        (secretMember === undefined
          ? '.'
          : ` with status 200 and \`${secretMember}: null\`, since the secret is not stored.`) +
        ' With another body: 422. While the first request is under way: 409.',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: KEY.source },
    }),
  );
}

@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly keys: IdempotencyKeys) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<LatchkeyRequest>();
    const header = request.headers['idempotency-key'];
    if (header === undefined) return next.handle();
    if (typeof header !== 'string' || !KEY.test(header)) {
      throw DomainError.invalid('/header/Idempotency-Key', 'invalid', 'Send 1 to 255 visible ASCII characters.');
    }
    const who = request.principal?.userId ?? '';
    const id = digest(JSON.stringify([who, request.method, request.url, header]));
    // the key, which is stored nowhere, salts the digest: a body may hold a password
    const bodyDigest = digest(JSON.stringify([header, request.body ?? null]));
    const reservation = await this.keys.reserve(id, bodyDigest);
    if (reservation.state === 'done') return of(replay(context, reservation.result));
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
}

/** The answer that the first request got, its headers included. */
function replay(context: ExecutionContext, result: unknown): unknown {
  const http = context.switchToHttp();
  const reply = http.getResponse<FastifyReply>();
  const { version, ...body } = result as Record<string, unknown>;
  reply.header('idempotency-replayed', 'true');
  const id = body['id'] ?? body['key'];
  const path = http.getRequest<LatchkeyRequest>().url.split('?', 1)[0];
  if (typeof id === 'string') reply.header('location', `${path}/${id}`);
  if (typeof version === 'number') reply.header('etag', `"v${version}"`);
  const secretMember: unknown = Reflect.getMetadata(SECRET_MEMBER, context.getHandler());
  if (typeof secretMember !== 'string') return body;
  reply.code(200);
  return { ...body, [secretMember]: null, notice: SECRET_NOTICE };
}
