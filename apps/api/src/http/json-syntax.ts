/** The position of the first syntax error, both counted from 1; columns are UTF-16 units. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

const SPACE = /[ \t\n\r]*/y;
// RFC 8259 7: control characters must be escaped
/* eslint-disable no-control-regex -- the patterns exclude them */
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const STRING_START = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*/y;
/* eslint-enable no-control-regex */
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/y;

/** The expected next token. `after` is a comma or the end of the container, after a value. */
type Next = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'after';

/** Follows the grammar of RFC 8259 up to the first error. Builds no values; strict-json.ts limits the depth. */
class SyntaxWalk {
  private at = 0;
  private next: Next = 'value';
  private readonly open: string[] = [];

  constructor(private readonly text: string) {}

  /** The index of the first unexpected character; undefined when the text is JSON. */
  findFault(): number | undefined {
    for (;;) {
      this.take(SPACE);
      if (this.at >= this.text.length) return this.next === 'after' && this.open.length === 0 ? undefined : this.at;
      if (!this.step(this.text.charAt(this.at))) return this.at;
    }
  }

  private step(char: string): boolean {
    if (this.next === 'colon') return this.punctuation(char, ':', 'value');
    if (this.next === 'after') return this.afterValue(char);
    if ((this.next === 'key-or-end' && char === '}') || (this.next === 'value-or-end' && char === ']')) {
      return this.close();
    }
    if (this.next === 'key' || this.next === 'key-or-end') return this.string('colon');
    return this.value(char);
  }

  private value(char: string): boolean {
    if (char === '{' || char === '[') {
      this.open.push(char);
      this.at += 1;
      this.next = char === '{' ? 'key-or-end' : 'value-or-end';
      return true;
    }
    if (char === '"') return this.string('after');
    if (!this.take(SCALAR)) return false;
    this.next = 'after';
    return true;
  }

  private afterValue(char: string): boolean {
    const container = this.open.at(-1);
    if (container !== undefined && char === ',') {
      return this.punctuation(char, ',', container === '{' ? 'key' : 'value');
    }
    const closes = (container === '{' && char === '}') || (container === '[' && char === ']');
    return closes && this.close();
  }

  private close(): boolean {
    this.open.pop();
    this.at += 1;
    this.next = 'after';
    return true;
  }

  private punctuation(char: string, wanted: string, next: Next): boolean {
    if (char !== wanted) return false;
    this.at += 1;
    this.next = next;
    return true;
  }

  private string(next: Next): boolean {
    if (this.take(STRING)) {
      this.next = next;
      return true;
    }
    // the error is inside the string, or the text ends there
    this.take(STRING_START);
    return false;
  }

  private take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const taken = pattern.test(this.text);
    if (taken) this.at = pattern.lastIndex;
    return taken;
  }
}

/** The position of the first syntax error; undefined when the text is JSON. */
export function jsonSyntaxFault(text: string): TextPlace | undefined {
  const at = new SyntaxWalk(text).findFault();
  if (at === undefined) return undefined;
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
