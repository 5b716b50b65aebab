/** The rules for names and other short text, and the form in which two names are compared. */

/** A fault in such a text. `publicMessage` says what to do and never contains the submitted text. */
export class NameError extends Error {
  override readonly name = 'NameError';

  constructor(readonly publicMessage: string) {
    super(publicMessage);
  }
}

const MAX_NAME_LENGTH = 100;
const MAX_LINE_LENGTH = 200;
const MAX_DESCRIPTION_LENGTH = 1000;
/** NFC joins at most four code points of two units each into one. Longer text is rejected before it is normalised. */
const UNITS_PER_CODE_POINT = 8;

// Zl and Zp break a line like a control character; U+FFF9…U+FFFB hide annotations
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\uFFF9-\uFFFB]/u;
const CONTROL_BUT_TAB_AND_NEWLINE = /[^\P{Cc}\t\n]|[\p{Zl}\p{Zp}\uFFF9-\uFFFB]/u;
const BIDI = /\p{Bidi_Control}/u;
// all characters that displays ignore, except the two variation selectors that come with emoji
const INVISIBLE = /[^\P{Default_Ignorable_Code_Point}\uFE0E\uFE0F]/u;
const IGNORED = /\p{Default_Ignorable_Code_Point}/gu;

function normalise(text: string, maxLength: number): string {
  if (!text.isWellFormed()) throw new NameError('The text must be valid Unicode: it contains half a surrogate pair.');
  const tooLong = `The text must have at most ${maxLength} characters.`;
  if (text.length > maxLength * UNITS_PER_CODE_POINT) throw new NameError(tooLong);
  const normal = text.normalize('NFC');
  if (Array.from(normal).length > maxLength) throw new NameError(tooLong);
  return normal;
}

/**
 * The name as stored: in NFC, otherwise unchanged.
 * @throws NameError when it does not have 1…100 code points, begins or ends with white space, or contains a control,
 * bidirectional, zero-width or otherwise invisible character or a lone surrogate
 */
export function normaliseName(text: string): string {
  if (text === '') throw new NameError('The name must not be empty.');
  return visibleLine(normalise(text, MAX_NAME_LENGTH), 'The name');
}

/**
 * A line of free text as stored, such as an owner or a label value: at most 200 code points, else the rules of a name.
 * @param options `mayBeEmpty`: whether empty text is valid
 * @throws NameError
 */
export function normaliseLine(text: string, { mayBeEmpty = false } = {}): string {
  if (text === '' && mayBeEmpty) return text;
  if (text === '') throw new NameError('The text must not be empty.');
  return visibleLine(normalise(text, MAX_LINE_LENGTH), 'The text');
}

function visibleLine(line: string, what: string): string {
  if (CONTROL.test(line)) throw new NameError(`${what} must not contain control characters or line breaks.`);
  if (BIDI.test(line)) throw new NameError(`${what} must not contain characters that change the direction of writing.`);
  if (INVISIBLE.test(line)) throw new NameError(`${what} must not contain zero-width or invisible characters.`);
  if (line !== line.trim()) throw new NameError(`${what} must not begin or end with white space.`);
  if (nameKey(line) === '') throw new NameError(`${what} must contain a visible character.`);
  return line;
}

/**
 * Unicode full case folding of one code point, which JavaScript lacks: lower(upper(lower(c))) gives the same classes.
 * One code point at a time, since a final sigma is special in a word. Exception: the dotless i, whose upper case is I.
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
 * The form in which names are compared: compatibility-normalised, case-folded, without ignorable characters (Unicode
 * NFKC_Casefold, D147). Two names with the same key are the same name.
 */
export function nameKey(name: string): string {
  const once = fold(name.normalize('NFD')).normalize('NFKC').replace(IGNORED, '');
  // folding can undo the normal form, and normalising can produce upper case; two rounds are enough (D147)
  return fold(once).normalize('NFKC');
}

/**
 * The description as stored: in NFC, CR LF as a newline, otherwise unchanged; it may be empty.
 * @throws NameError when it has over 1000 code points, or contains a control character other than tab and newline, a
 * character that changes the direction of writing, or a lone surrogate
 */
export function checkDescription(text: string): string {
  const description = normalise(text, MAX_DESCRIPTION_LENGTH).replaceAll('\r\n', '\n');
  if (CONTROL_BUT_TAB_AND_NEWLINE.test(description)) {
    throw new NameError('The description must not contain control characters other than tab and newline.');
  }
  if (BIDI.test(description)) {
    throw new NameError('The description must not contain characters that change the direction of writing.');
  }
  return description;
}
