/** The rules of names and other short text, and the form in which two names are compared. */

/** A fault in such a text. `publicMessage` says what to do, and never holds the submitted text. */
export class NameError extends Error {
  override readonly name = 'NameError';

  constructor(readonly publicMessage: string) {
    super(publicMessage);
  }
}

const LONGEST_NAME = 100;
const LONGEST_LINE = 200;
const LONGEST_DESCRIPTION = 1000;
/** NFC joins at most four code points into one, of two code units each; longer text is refused before it is normalised. */
const UNITS_PER_CODE_POINT = 8;

// Zl and Zp break a line as a control character does; U+FFF9…U+FFFB hide annotations
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\uFFF9-\uFFFB]/u;
const CONTROL_BUT_TAB_AND_NEWLINE = /[^\P{Cc}\t\n]|[\p{Zl}\p{Zp}\uFFF9-\uFFFB]/u;
const BIDI = /\p{Bidi_Control}/u;
// every character that is ignored in display, but for the two variation selectors that people type with emoji
const INVISIBLE = /[^\P{Default_Ignorable_Code_Point}\uFE0E\uFE0F]/u;
const IGNORED = /\p{Default_Ignorable_Code_Point}/gu;

function normalise(text: string, longest: number): string {
  if (!text.isWellFormed()) throw new NameError('The text has half a surrogate pair, which is no character.');
  const tooLong = `The text may be at most ${longest} characters long.`;
  if (text.length > longest * UNITS_PER_CODE_POINT) throw new NameError(tooLong);
  const normal = text.normalize('NFC');
  if (Array.from(normal).length > longest) throw new NameError(tooLong);
  return normal;
}

/**
 * The name as it is stored: in NFC, else as given.
 * @throws NameError when it is not 1…100 code points, begins or ends with white space, or holds a control, bidirectional,
 * zero-width or otherwise invisible character or a lone surrogate.
 */
export function normaliseName(text: string): string {
  if (text === '') throw new NameError('The name must not be empty.');
  return visibleLine(normalise(text, LONGEST_NAME), 'The name');
}

/**
 * A line of free text as it is stored, such as an owner or the value of a label: at most 200 code points, with the rules of a
 * name.
 * @param options `mayBeEmpty`: whether no text is a value too
 * @throws NameError
 */
export function normaliseLine(text: string, { mayBeEmpty = false } = {}): string {
  if (text === '' && mayBeEmpty) return text;
  if (text === '') throw new NameError('The text must not be empty.');
  return visibleLine(normalise(text, LONGEST_LINE), 'The text');
}

function visibleLine(line: string, what: string): string {
  if (CONTROL.test(line)) throw new NameError(`${what} must not hold control characters or line breaks.`);
  if (BIDI.test(line)) throw new NameError(`${what} must not hold characters that change the direction of writing.`);
  if (INVISIBLE.test(line)) throw new NameError(`${what} must not hold zero-width or invisible characters.`);
  if (line !== line.trim()) throw new NameError(`${what} must not begin or end with white space.`);
  if (nameKey(line) === '') throw new NameError(`${what} must hold a visible character.`);
  return line;
}

/**
 * One code point in Unicode full case folding. JavaScript has no folding, but lower case of upper case of lower case gives the
 * same classes, one code point at a time (a word's last sigma would be special), with the dotless i as the one exception:
 * its upper case is the common I.
 */
function foldCodePoint(char: string): string {
  if (char === 'ı') return char;
  return char.toLowerCase().toUpperCase().toLowerCase();
}

function fold(text: string): string {
  let folded = '';
  for (const char of text) folded += foldCodePoint(char);
  return folded;
}

/**
 * The form in which names are compared: compatibility-normalised, case-folded, without ignorable characters (the way of
 * Unicode's NFKC_Casefold, D147). Two names with one key are the same name.
 */
export function nameKey(name: string): string {
  const once = fold(name.normalize('NFD')).normalize('NFKC').replace(IGNORED, '');
  // folding can undo the normal form, and the normal form can bring new upper case: twice is enough (D147)
  return fold(once).normalize('NFKC');
}

/**
 * The description as it is stored: in NFC, a CR LF as a newline, else as given; it may be empty.
 * @throws NameError when it is over 1000 code points, or holds a control character other than tab and newline, a character
 * that changes the direction of writing, or a lone surrogate.
 */
export function checkDescription(text: string): string {
  const description = normalise(text, LONGEST_DESCRIPTION).replaceAll('\r\n', '\n');
  if (CONTROL_BUT_TAB_AND_NEWLINE.test(description)) {
    throw new NameError('The description must not hold control characters other than tab and newline.');
  }
  if (BIDI.test(description)) {
    throw new NameError('The description must not hold characters that change the direction of writing.');
  }
  return description;
}
