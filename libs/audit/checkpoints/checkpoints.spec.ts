import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { checkpointSigner, keyThumbprint, publicJwk, signCheckpoint, verifyCheckpoint } from './checkpoints.ts';
import type { Checkpoint } from './checkpoints.ts';

// RFC 8037 appendix A.1 to A.3
const RFC8037 = {
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  thumbprint: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
};
const privatePem = (jwk: { d: string; x: string }): string =>
  createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', ...jwk }, format: 'jwk' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
const newPem = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const body = {
  id: 'cp_1',
  operationId: 'op_1',
  seq: 17,
  hash: 'ab'.repeat(32),
  at: '2026-03-01T12:00:00.000Z',
};
const signer = checkpointSigner(privatePem(RFC8037));
const checkpoint = signCheckpoint(body, signer);

describe('checkpoint keys', () => {
  it('have the id of RFC 8037 A.3', () => {
    expect(keyThumbprint(RFC8037.x)).toBe(RFC8037.thumbprint);
    expect(signer.jwk).toEqual({ kty: 'OKP', crv: 'Ed25519', x: RFC8037.x, kid: RFC8037.thumbprint, use: 'sig' });
  });

  it('are also read from SPKI PEM, and only public keys are published', () => {
    const publicKey = createPublicKey(signer.privateKey);
    expect(publicJwk(publicKey.export({ type: 'spki', format: 'pem' }).toString())).toEqual(signer.jwk);
    expect(() => publicJwk(signer.privateKey)).toThrow(TypeError);
    expect(() => publicJwk(generateKeyPairSync('x25519').publicKey)).toThrow(TypeError);
  });

  it.each([
    ['rubbish', 'rubbish CANARY'],
    ['a public key', createPublicKey(signer.privateKey).export({ type: 'spki', format: 'pem' }).toString()],
    [
      'a key of another kind',
      generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
  ])('refuse %s without repeating it', (_name, pem) => {
    expect(() => checkpointSigner(pem)).toThrow(/^the checkpoint key is not an Ed25519/);
  });
});

describe('a checkpoint', () => {
  it('contains the signed values, and verifies', () => {
    expect(checkpoint).toMatchObject({ ...body, keyId: RFC8037.thumbprint });
    expect(verifyCheckpoint(checkpoint, [signer.jwk])).toBeNull();
    expect(signCheckpoint(body, signer)).toEqual(checkpoint); // Ed25519 is deterministic
    const platform = signCheckpoint({ ...body, operationId: null }, signer);
    expect(verifyCheckpoint(platform, [signer.jwk])).toBeNull();
  });

  it.each<[string, Partial<Checkpoint>]>([
    ['id', { id: 'cp_2' }],
    ['operation', { operationId: 'op_2' }],
    ['chain', { operationId: null }],
    ['seq', { seq: 18 }],
    ['hash', { hash: 'ac'.repeat(32) }],
    ['time', { at: '2026-03-01T12:00:00.001Z' }],
    ['signature', { signature: checkpoint.signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) }],
    ["signature's length", { signature: checkpoint.signature.slice(0, -4) }],
    ["signature's text", { signature: `${checkpoint.signature}==` }],
  ])('does not verify with its %s changed', (_name, change) => {
    expect(verifyCheckpoint({ ...checkpoint, ...change }, [signer.jwk])).toBe('signature');
  });

  it('verifies only with its own key, and only before the key’s retirement', () => {
    const other = checkpointSigner(newPem());
    expect(verifyCheckpoint(checkpoint, [other.jwk])).toBe('unknown-key');
    expect(verifyCheckpoint({ ...checkpoint, keyId: other.keyId }, [other.jwk])).toBe('signature');
    expect(verifyCheckpoint(checkpoint, [{ ...other.jwk, kid: checkpoint.keyId }])).toBe('unknown-key');
    expect(verifyCheckpoint(checkpoint, [other.jwk, signer.jwk])).toBeNull();
    expect(verifyCheckpoint(checkpoint, [{ ...signer.jwk, latchkey_retired_at: body.at }])).toBeNull();
    const before = '2026-03-01T11:59:59.999Z';
    expect(verifyCheckpoint(checkpoint, [{ ...signer.jwk, latchkey_retired_at: before }])).toBe('retired-key');
  });
});
