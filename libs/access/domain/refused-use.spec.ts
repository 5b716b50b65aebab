import { describe, expect, it } from '@jest/globals';
import { AllowedIps } from '#kernel';
import { affectsToken, refusedUse, refusesAll } from './refused-use.ts';
import type { CredentialAtMoment, CredentialChange, SeenUse, Sighting } from './refused-use.ts';

const now = new Date('2026-11-28T10:00:00Z');
const SECRETS = [
  { id: 'se_new', expiresAt: null },
  { id: 'se_old', expiresAt: new Date('2026-11-29T10:00:00Z') },
];

function credential(
  overrides: Partial<CredentialAtMoment> & { readonly allowedIpTexts?: readonly string[] } = {},
): CredentialAtMoment {
  const { allowedIpTexts = [] } = overrides;
  return {
    blocked: undefined,
    expiresAtMs: Infinity,
    allowedIps: new AllowedIps(allowedIpTexts),
    apis: ['a', 'b'],
    allowedIpTexts,
    secrets: SECRETS,
    ...overrides,
  };
}

const sighting = (name: string): Sighting => ({ name, count: 1, lastSeenAt: now });
const seen: SeenUse = {
  addresses: ['192.0.2.7', '198.51.100.9', 'other', 'unknown'].map(sighting),
  apis: ['a', 'b', 'gone'].map(sighting),
  secrets: ['se_new', 'se_old', 'se_gone'].map(sighting),
};

const change = (before: CredentialAtMoment, after: CredentialAtMoment | undefined): CredentialChange => ({
  ...{ before, after, nowMs: now.getTime() },
});

/** The names of what would be refused. */
function refused(before: CredentialAtMoment, after: CredentialAtMoment | undefined): Record<keyof SeenUse, string[]> {
  const { addresses, apis, secrets } = refusedUse(change(before, after), seen);
  const names = (sightings: readonly Sighting[]): string[] => sightings.map(({ name }) => name);
  return { addresses: names(addresses), apis: names(apis), secrets: names(secrets) };
}

const NOTHING = { addresses: [], apis: [], secrets: [] };
const EVERYTHING = {
  addresses: ['192.0.2.7', '198.51.100.9', 'other', 'unknown'],
  apis: ['a', 'b'],
  secrets: ['se_new', 'se_old'],
};

describe('refusedUse', () => {
  it.each([
    ['deleted', undefined],
    ['disabled', credential({ blocked: 'disabled' })],
    ['suspended', credential({ blocked: 'suspended' })],
    ['expired', credential({ expiresAtMs: now.getTime() })],
    ['left without APIs', credential({ apis: [] })],
    ['left without a secret that anybody knows', credential({ secrets: [{ id: 'se_next', expiresAt: null }] })],
  ])('has all that worked when the credential is %s', (_what, after) => {
    expect(refusesAll(change(credential(), after))).toBe(true);
    const { secrets, ...others } = refused(credential(), after);
    expect(others).toEqual({ addresses: EVERYTHING.addresses, apis: EVERYTHING.apis });
    expect(secrets).toEqual(EVERYTHING.secrets);
  });

  it.each([
    ['disabled', credential({ blocked: 'disabled' })],
    ['expired', credential({ expiresAtMs: now.getTime() - 1 })],
    ['without APIs', credential({ apis: [] })],
  ])('is empty when the credential was %s before', (_what, before) => {
    expect(refused(before, undefined)).toEqual(NOTHING);
  });

  it('is empty when nothing is taken away', () => {
    expect(refused(credential(), credential({ apis: ['a', 'b', 'c'], expiresAtMs: now.getTime() + 1 }))).toEqual(
      NOTHING,
    );
    const narrow = credential({ allowedIpTexts: ['192.0.2.0/24'] });
    expect(refused(narrow, credential())).toEqual(NOTHING);
    expect(refused(narrow, credential({ allowedIpTexts: ['192.0.2.0/24', '10.0.0.0/8'] }))).toEqual(NOTHING);
  });

  it('has the addresses of a removed range, and not those that were refused before', () => {
    const both = credential({ allowedIpTexts: ['192.0.2.0/24', '203.0.113.0/24'] });
    const after = credential({ allowedIpTexts: ['203.0.113.0/24'] });
    expect(refused(both, after)).toEqual({ ...NOTHING, addresses: ['192.0.2.7', 'other'] });
  });

  it('has uses without an address when addresses are restricted for the first time', () => {
    const after = credential({ allowedIpTexts: ['192.0.2.0/24'] });
    expect(refused(credential(), after).addresses).toEqual(['198.51.100.9', 'other', 'unknown']);
  });

  it('has the APIs and secrets that are taken away', () => {
    const after = credential({ apis: ['b'], secrets: [SECRETS[0]!, { id: 'se_old', expiresAt: now }] });
    expect(refused(credential(), after)).toEqual({ addresses: [], apis: ['a'], secrets: ['se_old'] });
  });
});

describe('affectsToken', () => {
  const token = { scope: ['a'], issuedTo: '192.0.2.7' };
  const narrow = credential({ allowedIpTexts: ['198.51.100.0/24'] });

  it.each([
    ['its credential is deleted', credential(), undefined, false, true],
    ['its credential is disabled', credential(), credential({ blocked: 'disabled' }), false, true],
    ['it loses its API', credential(), credential({ apis: ['b'] }), false, true],
    ['another API is lost', credential(), credential({ apis: ['a'] }), false, false],
    ['it is ended', credential(), credential(), true, true],
    ['its address is lost', credential(), narrow, false, true],
    ['its address was refused before', narrow, credential({ allowedIpTexts: ['10.0.0.0/8'] }), false, false],
    ['it was worthless before', credential({ blocked: 'disabled' }), undefined, false, false],
    ['only its secret is ended', credential(), credential({ secrets: [SECRETS[1]!] }), false, false],
  ])('says whether a token is affected: %s', (_what, before, after, isEnded, expected) => {
    expect(affectsToken(change(before, after), token, isEnded)).toBe(expected);
  });
});
