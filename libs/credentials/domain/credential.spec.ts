import { describe, expect, it } from '@jest/globals';
import { DomainError } from '#kernel';
import { Credential } from './credential.ts';
import type { CredentialAttributes } from './credential-changes.ts';
import { rulesOf } from '../test-support/an-operation.ts';

const at = new Date('2026-11-23T12:00:00Z');
const operation = rulesOf();
const change = { at, by: 'us_1', operation };
const attributes: CredentialAttributes = {
  name: 'Nightly',
  description: '',
  owner: null,
  contact: null,
  labels: {},
  apis: ['a', 'b'],
  allowedIps: [],
  status: 'active',
  expiresAt: null,
  tokenTtlSeconds: 3600,
  tokenLimitPolicy: 'reject',
};

function created(overrides: Partial<CredentialAttributes> = {}): Credential {
  const credential = Credential.create('op_1', 3, { ...attributes, ...overrides }, 'digest', change);
  credential.pullEvents();
  return credential;
}

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
  return undefined;
};

describe('Credential', () => {
  it('records its creation, without the secret’s digest', () => {
    const credential = Credential.create('op_1', 3, attributes, 'digest-of-it', change);
    const [event] = credential.pullEvents();
    expect(event).toMatchObject({
      type: 'credential.created.v1',
      operationId: 'op_1',
      data: { secretId: credential.state.secrets[0]?.id, name: 'Nightly', apis: ['a', 'b'] },
    });
    expect(JSON.stringify(event)).not.toContain('digest-of-it');
  });

  it('requires Allowed IPs if the operation does, on create and on edit', () => {
    const strict = { ...change, operation: rulesOf({}, { requireAllowedIps: true }) };
    expect(codeOf(() => Credential.create('op_1', 0, attributes, 'd', strict))).toBe('allowed-ips-required');
    const credential = created({ allowedIps: ['192.0.2.0/24'] });
    expect(codeOf(() => credential.edit({ allowedIps: [] }, strict))).toBe('allowed-ips-required');
    expect(codeOf(() => created().edit({ name: 'Other' }, strict))).toBeUndefined();
  });

  it('accepts only an expiry in the future', () => {
    expect(codeOf(() => created({ expiresAt: at }))).toBe('validation');
    expect(codeOf(() => created().edit({ expiresAt: new Date(at.getTime() - 1) }, change))).toBe('validation');
    expect(codeOf(() => created({ expiresAt: new Date(at.getTime() + 1) }))).toBeUndefined();
  });

  it('changes and records only attributes that differ', () => {
    const credential = created();
    expect(credential.edit({ name: 'Nightly', status: 'disabled', apis: ['a', 'b'] }, change)).toBe(true);
    expect(credential.state).toMatchObject({ status: 'disabled', version: 2 });
    expect(credential.pullEvents()).toMatchObject([
      { type: 'credential.updated.v2', data: { before: { status: 'active' }, after: { status: 'disabled' } } },
    ]);
  });

  it('keeps version and log unchanged for an edit that changes nothing', () => {
    const credential = created();
    expect(credential.edit({ name: 'Nightly', expiresAt: null, apis: ['a', 'b'] }, change)).toBe(false);
    expect(credential.state.version).toBe(1);
    expect(credential.pullEvents()).toEqual([]);
  });

  it('adds and removes several APIs in one call', () => {
    const credential = created();
    expect(credential.editApis(['c', 'a'], ['b', 'x'], change)).toBe(true);
    expect(credential.state.apis).toEqual(['a', 'c']);
    expect(credential.editApis(['c'], ['x'], change)).toBe(false);
  });

  it('rotates: the new secret is current, the old one ends after the overlap', () => {
    const credential = created();
    credential.rotateSecret({ overlapSeconds: 60, compromised: false, endOldest: false }, 'new', change);
    expect(credential.state.secrets.map(({ digest, expiresAt }) => [digest, expiresAt])).toEqual([
      ['new', null],
      ['digest', new Date(at.getTime() + 60_000)],
    ]);
    expect(credential.pullEvents()).toMatchObject([
      {
        type: 'credential.secret-rotated.v2',
        data: {
          previousSecretId: credential.state.secrets[1]?.id,
          previousEndsAt: new Date(at.getTime() + 60_000).toISOString(),
          compromised: false,
        },
      },
    ]);
  });

  it('keeps no old secret if one was compromised, regardless of the overlap', () => {
    const credential = created();
    credential.rotateSecret({ overlapSeconds: 60, compromised: true, endOldest: false }, 'new', change);
    expect(credential.state.secrets.map(({ digest }) => digest)).toEqual(['new']);
    expect(credential.pullEvents()).toMatchObject([{ data: { compromised: true } }]);
  });

  it('records revoked tokens, and no event if there were none', () => {
    const credential = created();
    credential.endTokens([], 'revoked');
    credential.endTokens(['tk_1', 'tk_2'], 'revoked');
    expect(credential.pullEvents()).toMatchObject([{ type: 'token.revoked.v1', data: { count: 2 } }]);
  });
});
