/** A regular expression's source that matches the text itself: nothing that a caller writes means anything to the store. */
export function literalPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}
