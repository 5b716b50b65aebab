import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';

const CHART = join(import.meta.dirname, '..', '..', 'deploy', 'helm', 'latchkey');

/** The parts of a Kubernetes object that the tests use. */
export type Manifest = { kind: string; metadata: { name: string; annotations?: Record<string, string> } } & Record<
  string,
  unknown
>;

type Scope = Readonly<Record<string, unknown>>;

/** Only the parts of the Go template language that the chart uses: not every machine has Helm. */
class Template {
  private readonly tokens: readonly string[];
  private at = 0;

  constructor(text: string) {
    // a dash trims white space on its side
    const trimmed = text.replace(/\s*\{\{-/g, '{{').replace(/-\}\}\s*/g, '}}');
    this.tokens = trimmed.split(/(\{\{.*?\}\})/);
  }

  render(scope: Scope): string {
    this.at = 0;
    return this.block(scope, true);
  }

  private block(scope: Scope, isShown: boolean): string {
    let output = '';
    for (; this.at < this.tokens.length; this.at += 1) {
      const token = this.tokens[this.at] ?? '';
      const action = /^\{\{\s*(.*?)\s*\}\}$/.exec(token)?.[1];
      if (action === 'end') return output;
      if (action === undefined) output += isShown ? token : '';
      else output += this.action(action, scope, isShown);
    }
    return output;
  }

  private action(action: string, scope: Scope, isShown: boolean): string {
    const condition = /^if (.+)$/.exec(action)?.[1];
    if (condition !== undefined) {
      this.at += 1;
      return this.block(scope, isShown && Boolean(evaluate(condition, scope)));
    }
    const [, name, value, over] = /^range (\$\w+), (\$\w+) := (.+)$/.exec(action) ?? [];
    if (name === undefined || value === undefined || over === undefined)
      return isShown ? text(evaluate(action, scope)) : '';
    this.at += 1;
    const start = this.at;
    const entries = Object.entries(evaluate(over, scope) as Record<string, unknown>);
    let output = '';
    for (const [key, entry] of entries.length === 0 ? [['', '']] : entries) {
      this.at = start;
      output += this.block({ ...scope, [name]: key, [value]: entry }, isShown && entries.length > 0);
    }
    return output;
  }
}

const FUNCTIONS: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  quote: (value) => JSON.stringify(text(value)),
  default: (fallback, value) => (value === '' || value === undefined ? fallback : value),
  required: (message, value) => {
    if (value === '' || value === undefined) throw new Error(String(message));
    return value;
  },
  printf: (format, ...values) =>
    values.reduce<string>((made, value) => made.replace('%s', text(value)), String(format)),
  toYaml: (value) => stringify(value).trimEnd(),
  nindent: (count, value) => `\n${text(value)}`.replaceAll('\n', `\n${' '.repeat(Number(count))}`),
};

/** `a b | f c`: the value before a bar is the last argument of the function after it. */
function evaluate(expression: string, scope: Scope): unknown {
  const words: string[] = expression.match(/\([^)]*\)|"[^"]*"|[^\s|]+|\|/g) ?? [];
  let piped: unknown[] = [];
  for (let from = 0; from <= words.length;) {
    const bar = words.indexOf('|', from);
    const [head = '', ...rest] = words.slice(from, bar === -1 ? undefined : bar);
    const args = [...rest.map((word) => valueOf(word, scope)), ...piped];
    const call = FUNCTIONS[head];
    piped = [call === undefined ? valueOf(head, scope) : call(...args)];
    if (bar === -1) break;
    from = bar + 1;
  }
  return piped[0];
}

function valueOf(word: string, scope: Scope): unknown {
  if (word.startsWith('(')) return evaluate(word.slice(1, -1), scope);
  if (word.startsWith('"')) return JSON.parse(word);
  if (/^\d+$/.test(word)) return Number(word);
  if (word.startsWith('$')) return scope[word];
  if (!word.startsWith('.')) throw new Error(`the chart uses ${word}, which these tests do not know`);
  return word
    .slice(1)
    .split('.')
    .reduce<unknown>((value, member) => (value as Record<string, unknown> | undefined)?.[member], scope);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

/** The chart's objects for a release with these values over the chart's own. */
export function renderChart(values: object): Manifest[] {
  const read = (file: string): string => readFileSync(join(CHART, file), 'utf8');
  const { appVersion } = parse(read('Chart.yaml')) as { appVersion: string };
  const scope = {
    Release: { Name: 'prod' },
    Chart: { AppVersion: appVersion },
    Values: merged(parse(read('values.yaml')) as object, values),
  };
  const files = readdirSync(join(CHART, 'templates'));
  return files.flatMap((file) =>
    parseAllDocuments(new Template(read(join('templates', file))).render(scope)).map((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${String(document.errors[0])}`);
      return document.toJS() as Manifest;
    }),
  );
}

function merged(base: object, over: object): object {
  const both = Object.entries(over).map(([name, value]: [string, unknown]) => {
    const own = (base as Record<string, unknown>)[name];
    const isBoth = typeof own === 'object' && own !== null && typeof value === 'object' && value !== null;
    return [name, isBoth ? merged(own, value) : value];
  });
  return { ...base, ...(Object.fromEntries(both) as object) };
}
