import { createHmac, timingSafeEqual } from 'node:crypto';

const TAG_BYTES = 16;
const MAX_TEXT_LENGTH = 1024;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

function tagOf(key: Buffer, bytes: Buffer): Buffer {
  return createHmac('sha256', key).update(bytes).digest().subarray(0, TAG_BYTES);
}

/**
 * Encodes a list position as opaque text that only the service can create.
 * @param key HMAC-SHA-256 key, 32 bytes
 * @param payload JSON values
 * @returns base64url, at most 1024 characters
 * @throws RangeError when the payload is too large
 */
export function sealCursor(key: Buffer, payload: Record<string, unknown>): string {
  const text = sealBytes(key, Buffer.from(JSON.stringify(payload), 'utf8'), MAX_TEXT_LENGTH);
  if (text === undefined) throw new RangeError('the cursor would be too long');
  return text;
}

/** The payload of a cursor that was sealed with this key; undefined for any other or changed text. */
export function openCursor(key: Buffer, text: string): Record<string, unknown> | undefined {
  const json = openBytes(key, text, MAX_TEXT_LENGTH);
  return json === undefined ? undefined : (JSON.parse(json.toString('utf8')) as Record<string, unknown>);
}

/** The same for any bytes. @returns undefined if the text would be longer than `maxLength` */
export function sealBytes(key: Buffer, bytes: Buffer, maxLength: number): string | undefined {
  const text = Buffer.concat([tagOf(key, bytes), bytes]).toString('base64url');
  return text.length > maxLength ? undefined : text;
}

/** The bytes that were sealed with this key; undefined for any other or changed text. */
export function openBytes(key: Buffer, text: string, maxLength: number): Buffer | undefined {
  if (text.length > maxLength || !BASE64URL.test(text)) return undefined;
  const sealed = Buffer.from(text, 'base64url');
  // unused bits at the end would allow two texts for one cursor
  if (sealed.length <= TAG_BYTES || sealed.toString('base64url') !== text) return undefined;
  const bytes = sealed.subarray(TAG_BYTES);
  return timingSafeEqual(sealed.subarray(0, TAG_BYTES), tagOf(key, bytes)) ? bytes : undefined;
}
