import fc from 'fast-check';
import type { OpenApiContract, Parameter, Placed, Schema } from './openapi-contract.ts';

/** A generated request. Placeholders such as `{{credentialId}}` are replaced by existing ids when it is sent. */
export interface GeneratedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** The caller: mostly with the right password, since each wrong one costs the service a hash. */
export const SIGN_INS = [
  ...new Array<'right'>(25).fill('right'),
  'none',
  'none',
  'wrong',
  'rubbish',
  'rubbish',
] as const;

/** Text that is known to break software. */
const nasty = [
  '',
  ' ',
  '\u0000',
  '\u202e',
  '\ufeff',
  '\ud83d\ude00',
  '$ne',
  '{"$gt":""}',
  '__proto__',
  'constructor',
  'toString',
  '../..',
  '%00',
  '%',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e999',
  '0x10',
  "' OR 1=1 --",
  '<script>',
  '*',
  '.*',
  '(',
  '\\',
  'a'.repeat(5_000),
  '2026-13-45T99:99:99Z',
  '::/0',
  '10.0.0.5/8',
  'İ',
  'ß',
  '\r\nX-Injected: 1',
];
const nastyText = fc.constantFrom(...nasty);
const anyText = fc.oneof(
  nastyText,
  fc.string({ unit: 'binary', maxLength: 50 }).filter((text) => text.isWellFormed()),
  fc.string(),
);
const anyJson = fc.oneof(
  nastyText,
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(null, [], {}, 0, -1, 1.5, 1e308, true, [null], [[]], { $ne: null }, { $where: '1' }),
);

/** Bodies that are not JSON, or on which parsers disagree. */
const brokenBodies = [
  '',
  ' ',
  '{',
  '[',
  'nul',
  '{"a":1,"a":2}',
  '{"a":1e999}',
  String.raw`{"a":"\ud800"}`,
  '\ufeff{}',
  "{'a':1}",
  '{"a":NaN}',
  '[1,]',
  `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  `{"a":"${'x'.repeat(600_000)}"}`,
  '=',
  'grant_type=',
  'a=%',
  'token=a&token=b',
  '&&&',
];

/** Visible text that HTTP clients accept in a header. */
const headerText = fc.oneof(
  fc.constantFrom('*', '"v1"', '"v2"', 'W/"v1"', '""', '"', 'x'.repeat(300), ',', '"v1","v2"', '{{nothing}}'),
  fc
    .string({ unit: fc.constantFrom(...Array.from('abcXYZ019"*,;=/-_ ')), minLength: 1, maxLength: 40 })
    .map((text) => text.trim() || '-'),
);

/** Generates requests for every operation from its schema, and breaks some of them on purpose. */
export class InputGenerator {
  constructor(private readonly contract: OpenApiContract) {}

  /** Requests of one operation. @param fill placeholders, by member name, for ids that must exist */
  requests(
    { path, method, operation }: Placed,
    fill: Readonly<Record<string, string>>,
  ): fc.Arbitrary<GeneratedRequest> {
    const parameters = operation.parameters ?? [];
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    const ids = fc.tuple(...inPath.map(({ name }) => this.pathPart(name, fill)));
    const query = this.query(parameters.filter((parameter) => parameter.in === 'query'));
    const headers = this.headers(parameters.filter((parameter) => parameter.in === 'header'));
    return fc.tuple(ids, query, headers, this.body(operation, method, fill)).map(([parts, search, own, body]) => ({
      path: inPath.reduce((text, { name }, index) => text.replace(`{${name}}`, parts[index] ?? ''), path) + search,
      headers: { ...own, ...body.headers },
      body: body.text,
    }));
  }

  private pathPart(name: string, fill: Readonly<Record<string, string>>): fc.Arbitrary<string> {
    const known = fc.constant(fill[name] ?? '{{nothing}}');
    const other = anyText
      .filter((text) => text !== '' && text !== '.' && text !== '..')
      .map((text) => encodeURIComponent(text.slice(0, 200)));
    return fc.oneof({ weight: 6, arbitrary: known }, { weight: 1, arbitrary: other });
  }

  private query(parameters: readonly Parameter[]): fc.Arbitrary<string> {
    const members = parameters.map(({ name, schema, required }) =>
      fc
        .oneof(
          { weight: required === true ? 0 : 5, arbitrary: fc.constant(undefined) },
          { weight: 4, arbitrary: this.value(schema) },
          { weight: 1, arbitrary: anyText },
        )
        .map((value) => (value === undefined ? [] : [`${name}=${encodeURIComponent(textOf(value))}`])),
    );
    const stray = fc.constantFrom(
      [],
      [],
      [],
      [],
      [],
      [],
      ['unknown=1'],
      ['name[$ne]=1'],
      ['__proto__=1'],
      ['limit=1', 'limit=2'],
    );
    return fc.tuple(fc.tuple(...members), stray).map(([own, more]) => {
      const pairs = [...own.flat(), ...more];
      return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
    });
  }

  private headers(parameters: readonly Parameter[]): fc.Arbitrary<Record<string, string>> {
    const own = parameters.map(({ name, required, example }) =>
      fc
        .oneof(
          { weight: required === true ? 8 : 2, arbitrary: fc.constant(textOf(example ?? 'key-1')) },
          { weight: 2, arbitrary: headerText },
          { weight: required === true ? 1 : 6, arbitrary: fc.constant(undefined) },
        )
        .map((value) => (value === undefined ? [] : [[name.toLowerCase(), value]])),
    );
    const accept = fc.constantFrom(
      [],
      [],
      [],
      [],
      [],
      [],
      [],
      [],
      [['accept', 'application/json']],
      [['accept', 'text/html']],
    );
    return fc
      .tuple(fc.tuple(...own), accept)
      .map(([lists, more]) => Object.fromEntries([...lists.flat(), ...more]) as Record<string, string>);
  }

  private body(
    { requestBody }: Placed['operation'],
    method: string,
    fill: Readonly<Record<string, string>>,
  ): fc.Arbitrary<{ text: string | undefined; headers: Record<string, string> }> {
    const none = fc.constant({ text: undefined, headers: {} });
    if (method === 'GET') return none;
    const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? ['application/json', { schema: {} }];
    const schema = this.contract.resolve(media.schema);
    const write = (value: unknown): string => (type.includes('json') ? JSON.stringify(value) : formOf(value));
    const whole = this.value(media.schema, fill);
    const mutant = fc.tuple(whole, fc.nat(), anyJson, fc.constantFrom('replace', 'add', 'drop', 'nest')).map(mutate);
    const texts = fc.oneof(
      { weight: 4, arbitrary: fc.constant(write(schema.example ?? {})) },
      { weight: 8, arbitrary: whole.map(write) },
      { weight: 6, arbitrary: mutant.map(write) },
      { weight: 1, arbitrary: anyJson.map((value) => JSON.stringify(value)) },
      { weight: 1, arbitrary: fc.constantFrom(...brokenBodies) },
    );
    const types = fc.oneof(
      { weight: 20, arbitrary: fc.constant(type) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          'text/plain',
          'application/x-www-form-urlencoded',
          'application/json',
          'x/y; z',
          'application/json; charset=latin1',
        ),
      },
    );
    const some = fc
      .tuple(texts, types)
      .map(([text, contentType]) => ({ text, headers: { 'content-type': contentType } }));
    return requestBody === undefined
      ? fc.oneof({ weight: 9, arbitrary: none }, { weight: 1, arbitrary: some })
      : fc.oneof({ weight: 15, arbitrary: some }, { weight: 1, arbitrary: none });
  }

  /** A value of the schema; members that must name existing resources mostly do. */
  private value(given: Schema, fill: Readonly<Record<string, string>> = {}): fc.Arbitrary<unknown> {
    const schema = this.contract.resolve(given);
    const plain = this.plain(schema, fill);
    return schema.nullable === true ? fc.option(plain, { nil: null }) : plain;
  }

  private plain(schema: Schema, fill: Readonly<Record<string, string>>): fc.Arbitrary<unknown> {
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    const either = schema.anyOf ?? schema.oneOf;
    if (either !== undefined) return fc.oneof(...either.map((one) => this.value(one, fill)));
    switch (schema.type) {
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return fc.integer({ min: schema.minimum ?? -5, max: Math.min(schema.maximum ?? 10_000, 2 ** 31 - 1) });
      case 'array':
        return fc.array(this.value(schema.items ?? {}, fill), { maxLength: Math.min(schema.maxItems ?? 4, 4) });
      case 'object':
        return this.object(schema, fill);
      default:
        return text(schema);
    }
  }

  private object(
    { properties = {}, required = [] }: Schema,
    fill: Readonly<Record<string, string>>,
  ): fc.Arbitrary<unknown> {
    const members = Object.entries(properties).map(([name, schema]): [string, fc.Arbitrary<unknown>] => {
      const known = fill[name];
      const value = this.value(schema, fill);
      if (known === undefined) return [name, value];
      const filled = fc.constant(schema.type === 'array' ? [known] : known);
      return [name, fc.oneof({ weight: 3, arbitrary: filled }, { weight: 1, arbitrary: value })];
    });
    return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
  }
}

function text({ format, pattern, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc
      .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (pattern !== undefined && !pattern.includes('(?')) return fc.stringMatching(new RegExp(pattern));
  const bounds = { minLength, maxLength: Math.min(maxLength, minLength + 40) };
  return fc.oneof(fc.string({ ...bounds, unit: 'grapheme' }), fc.string(bounds), nastyText);
}

function mutate([value, at, other, how]: [unknown, number, unknown, string]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return other;
  const entries = Object.entries(value as Record<string, unknown>);
  const index = entries.length === 0 ? -1 : at % entries.length;
  if (how === 'nest') return [value];
  if (how === 'add' || index < 0) entries.push([nasty[at % nasty.length]!.slice(0, 50), other]);
  else if (how === 'drop') entries.splice(index, 1);
  else entries[index] = [entries[index]![0], other];
  return Object.fromEntries(entries);
}

function formOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return textOf(value);
  const pairs = Object.entries(value).map(
    ([name, member]) => `${encodeURIComponent(name)}=${encodeURIComponent(textOf(member))}`,
  );
  return pairs.join('&');
}

function textOf(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}
