import type { Document } from './document.ts';

type Node = Record<string, unknown>;

/** Takes out of the schemas what says nothing to a reader: bounds that are the language’s own, and a format spelt out again. */
export function tidySchemas(document: Document): void {
  visit(document.paths);
  visit(document.components?.schemas ?? {});
}

function visit(value: unknown): void {
  if (Array.isArray(value)) value.forEach(visit);
  else if (typeof value === 'object' && value !== null) {
    tidy(value as Node);
    Object.values(value).forEach(visit);
  }
}

function tidy(node: Node): void {
  if (node['maximum'] === Number.MAX_SAFE_INTEGER) Reflect.deleteProperty(node, 'maximum');
  if (node['minimum'] === Number.MIN_SAFE_INTEGER) Reflect.deleteProperty(node, 'minimum');
  allowNull(node);
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

/** OpenAPI 3.0.3 gives `nullable` a meaning only beside `type`: a reference that may be null has to say so in another way. */
function allowNull(node: Node): void {
  if (node['nullable'] !== true || node['type'] !== undefined || !Array.isArray(node['allOf'])) return;
  node['anyOf'] = [...(node['allOf'] as unknown[]), { type: 'object', nullable: true, enum: [null] }];
  Reflect.deleteProperty(node, 'allOf');
  Reflect.deleteProperty(node, 'nullable');
}
