/** The parts of an OpenAPI document that the page changes in its own copy. */
interface Parameter {
  readonly in?: string;
  readonly name?: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly example?: unknown;
  readonly schema?: Readonly<Record<string, unknown>>;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
}
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}
interface Schema {
  readonly example?: unknown;
  readonly properties?: Readonly<Record<string, object>>;
}

/** What the page says of headers that it fills in itself. */
const FILLED_IN: Readonly<Record<string, string>> = {
  'If-Match':
    'Optional here: left empty, this page sends the ETag that it saw last. A stale one is 412: read the thing again.',
  'Idempotency-Key':
    'Optional. Left empty, this page sends one key for each *Try it out*: *Execute* pressed twice has one effect.',
  'X-Forward-Auth-Authorization':
    'Optional here: left empty, this page signs in as the resource server of *Authorize*, or as the one that you made last.',
};

/** The forms that take a token of the page. */
const TOKEN_FORMS = ['IntrospectionRequest', 'RevocationRequest'];

/**
 * The page's own copy of the document. No path and no If-Match is filled in with an example, which could be taken for a
 * thing that exists; headers that the page sends by itself may be left empty.
 */
export function adaptDocument(document: OpenApiDocument): OpenApiDocument {
  const paths = Object.entries(document.paths).map(([path, item]) => [
    path,
    Object.fromEntries(Object.entries(item).map(([method, operation]) => [method, adaptOperation(operation)])),
  ]);
  const schemas = Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => [
    name,
    TOKEN_FORMS.includes(name) ? withEmptyToken(schema) : schema,
  ]);
  return {
    ...document,
    paths: Object.fromEntries(paths) as OpenApiDocument['paths'],
    components: { ...document.components, schemas: Object.fromEntries(schemas) as Record<string, Schema> },
  };
}

function adaptOperation(operation: Operation): Operation {
  if (operation.parameters === undefined) return operation;
  return { ...operation, parameters: operation.parameters.map(adaptParameter) };
}

function adaptParameter(parameter: Parameter): Parameter {
  const { example, ...rest } = parameter;
  if (parameter.in === 'path') return rest;
  const description = FILLED_IN[parameter.name ?? ''];
  if (parameter.in === 'header' && description !== undefined) {
    const { example: _inSchema, ...schema } = parameter.schema ?? {};
    return { ...rest, required: false, description, schema };
  }
  return example === undefined ? rest : parameter;
}

function withEmptyToken(schema: Schema): Schema {
  return {
    ...schema,
    example: { ...(schema.example as object), token: '' },
    properties: { ...schema.properties, token: { ...schema.properties?.['token'], example: '' } },
  };
}
