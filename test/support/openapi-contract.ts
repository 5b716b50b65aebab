import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

/** The parts of an OpenAPI 3.0 schema that the tests use. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly example?: unknown;
  readonly default?: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
  readonly example?: unknown;
}

export interface DocumentedResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

export interface DocumentedOperation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly 'x-roles': readonly string[];
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;
  };
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

export interface OpenApiDocument {
  readonly info: { readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** One operation with its path and method. */
export interface Placed {
  readonly path: string;
  /** in capitals */
  readonly method: string;
  readonly operation: DocumentedOperation;
}

/** The answer to check against the document. */
export interface Received {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

/** Checks answers against the OpenAPI document. */
export class OpenApiContract {
  private readonly ajv = new Ajv({ strict: false, allErrors: true });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(readonly document: OpenApiDocument) {
    formats.default(this.ajv);
    this.ajv.addSchema(document, 'openapi');
  }

  /** Every operation. */
  get operations(): Placed[] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );
  }

  /** Resolves a reference to a schema. */
  resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    const found = this.document.components.schemas[schema.$ref.replace('#/components/schemas/', '')];
    if (found === undefined) throw new Error(`no schema ${schema.$ref}`);
    return found;
  }

  /** The fault of an answer; undefined if the document describes it. */
  fault(placed: Placed, { status, contentType, text }: Received): string | undefined {
    if (status >= 500) return `status ${status}`;
    const response = placed.operation.responses[String(status)];
    if (response === undefined) return `undocumented status ${status}`;
    const types = Object.keys(response.content ?? {});
    if (types.length === 0) return text === '' ? undefined : `a body where none is documented for ${status}`;
    const type = contentType?.split(';', 1)[0]?.trim() ?? '';
    if (!types.includes(type)) return `media type ${type || '(none)'} at ${status}, documented: ${types.join(', ')}`;
    return /\bjson$/.test(type) ? this.bodyFault(placed, status, type, text) : undefined;
  }

  private bodyFault({ path, method }: Placed, status: number, type: string, text: string): string | undefined {
    const place = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema'];
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    let validate = this.validators.get(pointer);
    if (validate === undefined) {
      validate = this.ajv.compile({ $ref: `openapi#/${pointer}` });
      this.validators.set(pointer, validate);
    }
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return `a body that is no JSON at ${status}`;
    }
    if (validate(body)) return undefined;
    return `a body that is not as documented at ${status}: ${this.ajv.errorsText(validate.errors)}`;
  }
}
