import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

const ITERATIONS = 4096; // the least that drivers accept

/** What a server keeps of a password (RFC 5802 3). */
export interface ScramVerifier {
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

export function scramVerifier(password: string): ScramVerifier {
  const salt = randomBytes(28);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  return { salt, storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
}

/** One sign-in by SCRAM-SHA-256 (RFC 7677), the server's side of it. */
export class ScramConversation {
  readonly userName: string;
  readonly #clientFirstBare: string;
  readonly #serverFirst: string;
  readonly #nonce: string;
  readonly #verifier: ScramVerifier;

  /**
   * @param clientFirst `n,,n=user,r=nonce`
   * @param find the verifier of a user
   */
  constructor(clientFirst: string, find: (userName: string) => ScramVerifier) {
    this.#clientFirstBare = clientFirst.replace(/^n,,/, '');
    const fields = fieldsOf(this.#clientFirstBare);
    this.userName = (fields.get('n') ?? '').replaceAll('=2C', ',').replaceAll('=3D', '=');
    this.#verifier = find(this.userName);
    this.#nonce = `${fields.get('r') ?? ''}${randomBytes(24).toString('base64')}`;
    this.#serverFirst = `r=${this.#nonce},s=${this.#verifier.salt.toString('base64')},i=${ITERATIONS}`;
  }

  get serverFirst(): string {
    return this.#serverFirst;
  }

  /** @returns the server's last message, or null when the proof is wrong */
  finish(clientFinal: string): string | null {
    const fields = fieldsOf(clientFinal);
    const withoutProof = clientFinal.replace(/,p=.*$/, '');
    const message = `${this.#clientFirstBare},${this.#serverFirst},${withoutProof}`;
    const signature = hmac(this.#verifier.storedKey, message);
    const proof = Buffer.from(fields.get('p') ?? '', 'base64');
    if (proof.length !== signature.length || fields.get('r') !== this.#nonce) return null;
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ (signature[at] ?? 0)));
    if (!timingSafeEqual(sha256(clientKey), this.#verifier.storedKey)) return null;
    return `v=${hmac(this.#verifier.serverKey, message).toString('base64')}`;
  }
}

function fieldsOf(message: string): Map<string, string> {
  return new Map(message.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));
}
