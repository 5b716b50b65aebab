import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { DomainError } from '#kernel';
import type { FieldFault } from '#kernel';
import './plain-messages.ts';

/** The maximum number of faults in one answer. */
export const MAX_FAULTS = 20;
const MAX_POINTER_LENGTH = 200;

/** The members of a zod issue that are used here. */
interface Issue extends StandardSchemaV1.Issue {
  readonly code?: string;
  readonly keys?: readonly string[];
  readonly params?: { readonly code?: string };
}

/**
 * Checks input against the schema of its parameter (`@Body({ schema })`, `@Query({ schema })`). Faults have a JSON
 * pointer (RFC 6901), below `/query` or `/path` for these. No submitted value is repeated.
 */
export class StrictSchemaPipe implements PipeTransform {
  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { schema, type } = metadata;
    if (schema === undefined) return value;
    // Nest's StandardSchemaValidationPipe silently removes `__proto__` and `constructor` from the input
    const result = await schema['~standard'].validate(value === undefined && type !== 'body' ? {} : value);
    if (result.issues === undefined) return result.value;
    const prefix = type === 'query' ? '/query' : type === 'param' ? '/path' : '';
    const errors = result.issues.flatMap((issue) => faultsOf(issue, prefix)).slice(0, MAX_FAULTS);
    throw new DomainError('validation', 'The request is not valid. See `errors`.', { errors });
  }
}

function faultsOf(issue: Issue, prefix: string): FieldFault[] {
  const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({
      pointer: pointer(prefix, [...path, key]),
      code: 'unknown-member',
      message: 'This member does not exist. Remove it.',
    }));
  }
  // zod calls every rule of ours `custom`
  const kind = issue.code === undefined || issue.code === 'custom' ? 'invalid' : issue.code;
  const code = issue.params?.code ?? kind.replaceAll('_', '-');
  return [{ pointer: pointer(prefix, path), code, message: issue.message }];
}

function pointer(prefix: string, path: readonly PropertyKey[]): string {
  const escaped = path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`);
  return (prefix + escaped.join('')).slice(0, MAX_POINTER_LENGTH);
}
