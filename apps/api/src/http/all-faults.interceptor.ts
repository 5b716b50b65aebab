import { Injectable, SetMetadata, UseInterceptors, applyDecorators } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { Query } from '@nestjs/cqrs';
import { catchError, from, mergeMap } from 'rxjs';
import type { Observable } from 'rxjs';
import type { z } from 'zod';
import { DomainError } from '#kernel';
import type { FieldFault } from '#kernel';
import { MAX_FAULTS } from './strict-schema.pipe.ts';
import type { LatchkeyRequest } from './latchkey-request.ts';

const OPTIONS = Symbol('what finds all faults');
const API_KEY = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MAX_KEYS = 500;
const KEY_LISTS = ['apis', 'add', 'remove'] as const;

/** The parts of an invalid body that can still be checked. */
export interface ReadableParts<T> {
  /** Members that are valid by themselves, with their defaults. */
  readonly valid: Partial<T>;
  /** Lists of API keys, by member; null for an entry that is not a key. */
  readonly keys: Readonly<Record<string, readonly (string | null)[]>>;
  readonly operationId: string;
}

interface Options {
  readonly schema: z.ZodObject;
  readonly find: (parts: ReadableParts<Record<string, unknown>>) => Query<FieldFault[]>;
}

/**
 * Also checks an invalid body against the store, so that one answer lists all faults.
 *
 * @param schema of the body
 * @param find returns the query for the other faults
 */
export function AllFaults<S extends z.ZodObject>(
  schema: S,
  find: (parts: ReadableParts<z.output<S>>) => Query<FieldFault[]>,
): MethodDecorator {
  const options = { schema, find } as unknown as Options;
  return applyDecorators(SetMetadata(OPTIONS, options), UseInterceptors(AllFaultsInterceptor));
}

@Injectable()
export class AllFaultsInterceptor implements NestInterceptor {
  constructor(private readonly queries: QueryBus) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) =>
        from(this.complete(context, error)).pipe(
          mergeMap((complete) => {
            throw complete;
          }),
        ),
      ),
    );
  }

  private async complete(context: ExecutionContext, error: unknown): Promise<unknown> {
    if (!(error instanceof DomainError) || error.code !== 'validation' || error.errors === undefined) return error;
    const { schema, find } = Reflect.getMetadata(OPTIONS, context.getHandler()) as Options;
    const parts = readableParts(schema, context.switchToHttp().getRequest<LatchkeyRequest>());
    if (parts === undefined) return error;
    // the body is invalid anyway: without the store, report the faults that are known
    const found = await this.queries.execute(find(parts)).catch((): FieldFault[] => []);
    const reported = new Set(error.errors.map(({ pointer }) => pointer));
    const errors = [...error.errors, ...found.filter(({ pointer }) => !reported.has(pointer))].slice(0, MAX_FAULTS);
    return new DomainError(error.code, error.publicDetail, { errors });
  }
}

function readableParts(
  schema: z.ZodObject,
  { body, params }: LatchkeyRequest,
): ReadableParts<Record<string, unknown>> | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const given = new Map(Object.entries(body));
  const members = Object.entries(schema.shape).flatMap(([name, member]) => {
    const { success, data } = (member as z.ZodType).safeParse(given.get(name));
    return success && data !== undefined ? [[name, data] as const] : [];
  });
  const keys = KEY_LISTS.filter((name) => name in schema.shape).map(
    (name) => [name, apiKeysIn(given.get(name))] as const,
  );
  const { operationId = '' } = params as { operationId?: string };
  return { valid: Object.fromEntries(members), keys: Object.fromEntries(keys), operationId };
}

function apiKeysIn(list: unknown): (string | null)[] {
  // the schema reports a list that is too long
  if (!Array.isArray(list) || list.length > MAX_KEYS) return [];
  return list.map((key: unknown) => (typeof key === 'string' && API_KEY.test(key) ? key : null));
}
