import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ScramConversation, scramVerifier } from './scram.ts';

/** The client's side, by RFC 7677. @returns its last message and what the server must answer */
function clientFinal(password: string, first: string, serverFirst: string): { message: string; expected: string } {
  const [nonce = '', salt = '', iterations = ''] = serverFirst.split(',').map((field) => field.slice(2));
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const clientKey = hmac(salted, 'Client Key');
  const withoutProof = `c=biws,r=${nonce}`;
  const text = `${first.slice(3)},${serverFirst},${withoutProof}`;
  const signature = hmac(createHash('sha256').update(clientKey).digest(), text);
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))).toString('base64');
  return {
    message: `${withoutProof},p=${proof}`,
    expected: `v=${hmac(hmac(salted, 'Server Key'), text).toString('base64')}`,
  };
}

describe('SCRAM-SHA-256', () => {
  const first = 'n,,n=us=2Cer,r=abc';
  const verifier = scramVerifier('right');

  it('accepts the right password, and proves that the server knows it', () => {
    const conversation = new ScramConversation(first, () => verifier);
    expect(conversation.userName).toBe('us,er');
    const { message, expected } = clientFinal('right', first, conversation.serverFirst);
    expect(conversation.finish(message)).toBe(expected);
  });

  it('refuses a wrong password, another nonce and a proof of another length', () => {
    const conversation = new ScramConversation(first, () => verifier);
    expect(conversation.finish(clientFinal('wrong', first, conversation.serverFirst).message)).toBeNull();
    const { message } = clientFinal('right', first, conversation.serverFirst);
    expect(conversation.finish(message.replace('r=abc', 'r=abd'))).toBeNull();
    expect(conversation.finish(message.replace(/p=.*/, 'p=AAAA'))).toBeNull();
  });
});
