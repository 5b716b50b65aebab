/**
 * The source of a regular expression that matches exactly this text, so that a caller cannot inject a pattern. NUL is
 * escaped, because MongoDB rejects it in a pattern.
 */
export function literalPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`).replaceAll('\0', String.raw`\x00`);
}
