import { createHmac, timingSafeEqual } from 'node:crypto';

const TAG_BYTES = 16;
const MAX_TEXT_LENGTH = 1024;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

function tagOf(key: Buffer, json: Buffer): Buffer {
  return createHmac('sha256', key).update(json).digest().subarray(0, TAG_BYTES);
}

/**
 * Encodes a list position as opaque text that only the service can create.
 * @param key HMAC-SHA-256 key, 32 bytes
 * @param payload JSON values
 * @returns base64url, at most 1024 characters
 * @throws RangeError when the payload is too large
 */
export function sealCursor(key: Buffer, payload: Record<string, unknown>): string {
  const json = Buffer.from(JSON.stringify(payload), 'utf8');
  const text = Buffer.concat([tagOf(key, json), json]).toString('base64url');
  if (text.length > MAX_TEXT_LENGTH) throw new RangeError('the cursor would be too long');
  return text;
}

/** The payload of a cursor that was sealed with this key; undefined for any other or changed text. */
export function openCursor(key: Buffer, text: string): Record<string, unknown> | undefined {
  if (text.length > MAX_TEXT_LENGTH || !BASE64URL.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // unused bits at the end would allow two texts for one cursor
  if (bytes.length <= TAG_BYTES || bytes.toString('base64url') !== text) return undefined;
  const json = bytes.subarray(TAG_BYTES);
  if (!timingSafeEqual(bytes.subarray(0, TAG_BYTES), tagOf(key, json))) return undefined;
  return JSON.parse(json.toString('utf8')) as Record<string, unknown>;
}
