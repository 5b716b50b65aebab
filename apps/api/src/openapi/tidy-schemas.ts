import type { Document } from './document.ts';

type Node = Record<string, unknown>;

/**
 * Takes out of the schemas what says nothing to a reader: bounds that are the language’s own, and a format spelt out
 * again.
 */
export function tidySchemas(document: Document): void {
  const schemas = (document.components?.schemas ?? {}) as Readonly<Record<string, Node>>;
  visit(document.paths, schemas);
  visit(schemas, schemas);
}

function visit(value: unknown, schemas: Readonly<Record<string, Node>>): void {
  if (Array.isArray(value)) value.forEach((each) => visit(each, schemas));
  else if (typeof value === 'object' && value !== null) {
    tidy(value as Node, schemas);
    Object.values(value).forEach((each) => visit(each, schemas));
  }
}

function tidy(node: Node, schemas: Readonly<Record<string, Node>>): void {
  if (node['maximum'] === Number.MAX_SAFE_INTEGER) Reflect.deleteProperty(node, 'maximum');
  if (node['minimum'] === Number.MIN_SAFE_INTEGER) Reflect.deleteProperty(node, 'minimum');
  allowNull(node, schemas);
  listNull(node);
  // the format says it, in one word
  if (node['format'] === 'date-time') Reflect.deleteProperty(node, 'pattern');
  // a query member is text to the parser, and a number or a truth value to the reader
  if (node['type'] === 'integer' || node['type'] === 'boolean') {
    for (const name of ['pattern', 'minLength', 'maxLength']) Reflect.deleteProperty(node, name);
    // a literal of the type itself stays: by `active: true` generated types narrow
    if (Array.isArray(node['enum']) && node['enum'].every((value) => typeof value === 'string')) {
      Reflect.deleteProperty(node, 'enum');
    }
  }
}

/** OpenAPI 3.0.3: `nullable` does not extend an `enum`, which has to list null itself. */
function listNull(node: Node): void {
  const values = node['enum'];
  if (node['nullable'] === true && Array.isArray(values) && !values.includes(null)) values.push(null);
}

/**
 * OpenAPI 3.0.3 gives `nullable` a meaning only beside `type`, which a reference has not. So the schema itself takes
 * the place of a reference that may be null: generators fail on the other ways to say it.
 */
function allowNull(node: Node, schemas: Readonly<Record<string, Node>>): void {
  if (node['nullable'] !== true || node['type'] !== undefined || !Array.isArray(node['allOf'])) return;
  const [only, ...others] = node['allOf'] as { readonly $ref?: string }[];
  const referred = schemas[only?.$ref?.split('/').at(-1) ?? ''];
  if (referred === undefined || others.length > 0) return;
  Reflect.deleteProperty(node, 'allOf');
  Object.assign(node, { ...structuredClone(referred), ...node });
}
