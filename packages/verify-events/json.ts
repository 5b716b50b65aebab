// JSON as docs/event-log-format.md requires it: strictly read, and in canonical form (RFC 8785). Written for this
// verifier alone, so that it shares no fault with the service's code.
import { isUtf8 } from 'node:buffer';

/** Deepest nesting of arrays and objects, the outermost being the first level. */
export const MAX_LEVELS = 64;

/** The result of JSON.parse. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

/** Why some bytes are not one JSON text. */
export type ReadFault = 'not-utf8' | 'not-json';

/**
 * Reads one JSON text.
 * @returns the text and its value, or why it is invalid; a byte order mark or too deep nesting is invalid
 */
export function readJson(bytes: Buffer): { text: string; value: Json } | { fault: ReadFault } {
  if (!isUtf8(bytes)) return { fault: 'not-utf8' };
  const text = bytes.toString('utf8');
  if (nestsTooDeep(text)) return { fault: 'not-json' };
  try {
    return { text, value: JSON.parse(text) as Json };
  } catch {
    return { fault: 'not-json' };
  }
}

/** The canonical form of a value; null if it contains a fraction, an unsafe integer or a lone surrogate. */
export function canonicalForm(value: Json): string | null {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? JSON.stringify(value) : null;
    case 'number':
      return Number.isSafeInteger(value) ? String(value) : null; // String(-0) is 0, as RFC 8785 requires
    case 'boolean':
      return String(value);
    default:
      if (value === null) return 'null';
      return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value);
  }
}

/** The canonical forms of an object's members, `"name":value`, by name in canonical order; null if one has none. */
export function canonicalMembers(object: JsonObject): Map<string, string> | null {
  const members = new Map<string, string>();
  for (const name of Object.keys(object).sort()) {
    const canonicalName = canonicalForm(name);
    const value = canonicalForm(object[name] as Json);
    if (canonicalName === null || value === null) return null;
    members.set(name, `${canonicalName}:${value}`);
  }
  return members;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function canonicalArray(array: Json[]): string | null {
  const items: string[] = [];
  for (const item of array) {
    const canonical = canonicalForm(item);
    if (canonical === null) return null;
    items.push(canonical);
  }
  return `[${items.join(',')}]`;
}

function canonicalObject(object: JsonObject): string | null {
  const members = canonicalMembers(object);
  return members && `{${[...members.values()].join(',')}}`;
}

// checks the text, not the value: a duplicate member may hide what is nested in the first
function nestsTooDeep(text: string): boolean {
  let levels = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === '\\') i++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      if (++levels > MAX_LEVELS) return true;
    } else if (character === '}' || character === ']') levels--;
  }
  return false;
}
