import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { FormError, parseForm } from '../http/form.ts';
import type { Form } from '../http/form.ts';
import { InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

/** The known form parameters. A repeated one is refused (RFC 6749 3.2); unknown parameters are ignored. */
const RECOGNISED = [
  'grant_type',
  'scope',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'token',
  'token_type_hint',
  'client_ip',
];

/** Reads the form. oauth-hooks.ts and http-adapter.ts have checked method, media type and size. */
@Injectable()
export class FormGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.getArgByIndex<OAuthRequest>(0);
    const { values, repeated } = read(typeof request.body === 'string' ? request.body : '');
    if (repeated.size > 0 && RECOGNISED.some((name) => repeated.has(name))) {
      throw new InvalidRequest('A parameter is repeated. Send each parameter once.');
    }
    request.form = hasEmpty(values) ? withoutEmpty(values) : values;
    return true;
  }
}

function hasEmpty(values: Form['values']): boolean {
  for (const value of values.values()) if (value === '') return true;
  return false;
}

/** RFC 6749 3.2: an empty parameter counts as omitted. Exception: an empty address must not widen the answer. */
function withoutEmpty(values: Form['values']): Form['values'] {
  return new Map([...values].filter(([name, value]) => value !== '' || name === 'client_ip'));
}

function read(body: string): Form {
  try {
    return parseForm(body);
  } catch (error) {
    if (error instanceof FormError) throw new InvalidRequest(error.publicMessage);
    throw error;
  }
}
