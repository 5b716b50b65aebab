import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { FormError, parseForm } from '../http/form.ts';
import type { Form } from '../http/form.ts';
import { InvalidRequest } from './oauth-error.ts';
import type { OAuthRequest } from './oauth-request.ts';

/** The parameters that the form endpoints know; a known one given twice is refused (RFC 6749 3.2), an unknown one ignored. */
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

/** Reads the form. Method, media type and size have been checked before it (oauth-hooks.ts, http-adapter.ts). */
@Injectable()
export class FormGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.getArgByIndex<OAuthRequest>(0);
    const { values, repeated } = read(typeof request.body === 'string' ? request.body : '');
    if (repeated.size > 0 && RECOGNISED.some((name) => repeated.has(name))) {
      throw new InvalidRequest('A parameter is given twice.');
    }
    request.form = hasEmpty(values) ? withoutEmpty(values) : values;
    return true;
  }
}

function hasEmpty(values: Form['values']): boolean {
  for (const value of values.values()) if (value === '') return true;
  return false;
}

/** RFC 6749 3.2: without a value is left out; but an address that is empty is a mistake that must not widen the answer. */
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
