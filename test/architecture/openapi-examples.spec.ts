import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { OpenApiContract } from '../support/openapi-contract.ts';
import type { OpenApiDocument } from '../support/openapi-contract.ts';

const file = join(import.meta.dirname, '..', '..', 'docs', 'openapi.json');
const document = JSON.parse(readFileSync(file, 'utf8')) as OpenApiDocument;
const contract = new OpenApiContract(document);
const ajv = new Ajv({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, 'openapi');

interface Example {
  readonly where: string;
  /** JSON pointer of the schema that it is an example of. */
  readonly schema: string;
  readonly value: unknown;
}

const escaped = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Every example of the document, wherever it is: of schemas and their members, of parameters, and of bodies. */
function examplesIn(node: unknown, place: readonly string[] = []): Example[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = node as Readonly<Record<string, unknown>>;
  const pointer = `/${place.map(escaped).join('/')}`;
  const nested = Object.entries(own)
    .filter(([name]) => name !== 'example' && name !== 'examples')
    .flatMap(([name, value]) => examplesIn(value, [...place, name]));
  if (!('example' in own) || place.at(-1) === 'properties') return nested;
  // an example beside a schema is one of that schema; else the node is the schema
  const schema = 'schema' in own ? `${pointer}/schema` : pointer;
  return [{ where: place.join(' '), schema, value: own['example'] }, ...nested];
}

const examples = examplesIn(document);

describe('examples of the OpenAPI document', () => {
  it('exist', () => {
    expect(examples.length).toBeGreaterThan(50);
  });

  it.each(examples)('$where: matches its schema', ({ schema, value }) => {
    const validate = ajv.compile({ $ref: `openapi#${schema}` });
    expect([validate(value), ajv.errorsText(validate.errors)]).toEqual([true, 'No errors']);
  });

  it.each(examples)('$where: is not shaped like a secret, and is more than the name of its type', ({ value }) => {
    const text = JSON.stringify(value);
    expect(text).not.toMatch(/lk_(?:at|cs|rs|ak)_[0-9A-Za-z]{20}/);
    expect(text).not.toMatch(/"string"/);
  });

  it('of bodies grant no right by default', () => {
    const bodies = contract.operations.flatMap(({ method, path, operation }) =>
      Object.values(operation.requestBody?.content ?? {}).map(
        ({ schema, example }) => [`${method} ${path}`, example ?? contract.resolve(schema).example] as const,
      ),
    );
    for (const [name, example] of bodies) {
      const {
        roles = [],
        password,
        username,
        compromised,
        enforce,
        operationIds = [],
      } = example as Record<string, string | string[] | boolean>;
      expect([name, roles, operationIds]).toEqual([
        name,
        name.includes('/v1/users') ? expect.not.arrayContaining(['platform-admin']) : [],
        [],
      ]);
      // a password with the user name in it is refused
      if (username !== undefined)
        expect([name, String(password)]).toEqual([name, expect.stringContaining(String(username))]);
      expect([name, compromised, enforce]).toEqual([name, undefined, undefined]);
    }
  });

  it('of the token endpoint show a token, and a client at its token limit', () => {
    const responses = document.paths['/oauth2/token']!['post']!.responses as Record<
      string,
      { content: Record<string, { example?: { error: string; error_description: string } }> }
    >;
    expect(responses['429']!.content['application/json']!.example).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'This client has as many live tokens as it may.',
    });
    expect(document.components.schemas['Token']!.properties!['access_token']!.example).toBe('lk_at_example');
  });
});
