/**
 * A regular expression's source that matches the text itself: nothing that a caller writes means anything to the store. A NUL stands as
 * an escape, since MongoDB takes none in a pattern.
 */
export function literalPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`).replaceAll('\0', String.raw`\x00`);
}
