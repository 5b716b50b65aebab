import type { OpenAPIObject } from '@nestjs/swagger';

/** The parts of an OpenAPI 3.0 document that are worked on here. */
export type Document = OpenAPIObject;
export type PathItem = Document['paths'][string];
export type Operation = NonNullable<PathItem['get']>;
export type ParameterObject = Exclude<NonNullable<Operation['parameters']>[number], { $ref: string }>;
export type ResponseObject = Exclude<NonNullable<Operation['responses'][string]>, { $ref: string }>;
export type Headers = NonNullable<ResponseObject['headers']>;

/** The methods that OpenAPI 3.0 knows and that are served here. */
export const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;
export type Method = (typeof METHODS)[number];

/** One operation of the document and where it stands. */
export interface PlacedOperation {
  readonly path: string;
  readonly method: Method;
  readonly operation: Operation;
}

/** Every operation of the document. */
export function operationsOf(document: Document): PlacedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ path, method, operation }];
    }),
  );
}

/** Whether the operation honours an `Idempotency-Key`. */
export function takesIdempotencyKey({ parameters = [] }: Operation): boolean {
  return parameters.some((parameter) => 'name' in parameter && parameter.name === 'Idempotency-Key');
}
