import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import { OpenApiContract } from '../support/openapi-contract.ts';
import type { OpenApiDocument, Parameter, Placed } from '../support/openapi-contract.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, '..', '..');
const file = join(root, 'docs', 'openapi.json');
/** Where nothing listens: the document is served without any store. */
const nowhere = { MONGODB_URI: 'mongodb://127.0.0.1:9/none', REDIS_URL: 'redis://127.0.0.1:9', LATCHKEY_ROLE: 'http' };

const document = JSON.parse(readFileSync(file, 'utf8')) as OpenApiDocument;
const contract = new OpenApiContract(document);
const operations = contract.operations.map((placed): [string, Placed] => [`${placed.method} ${placed.path}`, placed]);
const admin = operations.filter(([, { path }]) => path.startsWith('/v1/'));

describe('docs/openapi.json', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ env: nowhere, awaitReady: false });
  });
  afterAll(async () => {
    await service.stop('SIGKILL');
  });

  it('is what the service serves, without any store (to regenerate it: npm run docs)', async () => {
    const served = await new Api(service.url, null).get<OpenApiDocument>('/openapi.json');
    expect(served.status).toBe(200);
    expect(served.body).toEqual(document);
  });

  it('passes the linter', () => {
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' };
    const linter = require.resolve('@redocly/cli/bin/cli.js');
    expect(() =>
      execFileSync(process.execPath, [linter, 'lint', file], { cwd: root, env, stdio: 'pipe' }),
    ).not.toThrow();
  });
});

describe('the document', () => {
  it('gives each operation a unique id and a described tag', () => {
    const ids = operations.map(([, { operation }]) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const described = new Set(document.tags.filter(({ description }) => description).map(({ name }) => name));
    for (const [name, { operation }] of operations) {
      expect([name, operation.operationId]).toEqual([name, expect.stringMatching(/^[a-z][A-Za-z]*_[a-z][A-Za-z]*$/)]);
      expect([name, operation.tags?.length, described.has(operation.tags?.[0] ?? '')]).toEqual([name, 1, true]);
    }
    const used = new Set(operations.flatMap(([, { operation }]) => operation.tags ?? []));
    expect([...described].filter((tag) => !used.has(tag))).toEqual([]);
  });

  it.each(operations)(
    '%s has a summary, the permitted roles, and a description of every response',
    (_name, { path, operation }) => {
      expect(operation.summary).toMatch(/^\S.{3,60}$/);
      expect(operation.description).toMatch(/\S{3}/);
      expect(operation.security).toBeDefined();
      const roles = operation['x-roles'];
      expect(roles).toEqual(expect.any(Array));
      if (roles.length > 0)
        expect(operation.security).toEqual([
          ...[{ session: [] }, { person: [] }],
          ...(roles.some((role) => role !== 'platform-admin') ? [{ apiKey: [] }] : []),
        ]);
      else if (path.startsWith('/v1/')) expect(operation.security).toEqual([]);
      for (const response of Object.values(operation.responses)) expect(response.description).toMatch(/\S{3}/);
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
    },
  );

  it.each(operations)('%s has an example of every input', (_name, { path, operation }) => {
    const parameters: readonly Parameter[] = operation.parameters ?? [];
    for (const { name, description, required, example, schema } of parameters) {
      expect([name, description]).toEqual([name, expect.stringMatching(/\S{3}/)]);
      if (required === true) expect([name, example ?? schema.example]).toEqual([name, expect.anything()]);
    }
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath);
    for (const { schema, example } of Object.values(operation.requestBody?.content ?? {})) {
      expect(example ?? contract.resolve(schema).example).toEqual(expect.any(Object));
    }
  });

  it.each(admin)(
    '%s lists its errors as problems, including those that follow from its kind',
    (_name, { path, method, operation }) => {
      const { responses, requestBody } = operation;
      const statuses = Object.keys(responses);
      expect(statuses).toEqual(expect.arrayContaining(['400', '401', '403', '406', '429', '503']));
      if (path.includes('{')) expect(statuses).toEqual(expect.arrayContaining(['404', '414']));
      if (requestBody !== undefined) expect(statuses).toEqual(expect.arrayContaining(['413', '415']));
      // one's own password has no version, its condition is the current one; nor have tokens and sessions
      const isConditional = !/\/tokens|\/sessions?\b|\/keys\b/.test(path) && path !== '/v1/me/password';
      if (['PUT', 'PATCH', 'DELETE'].includes(method) && isConditional) {
        expect(statuses).toEqual(expect.arrayContaining(['404', '412', '428']));
        expect(operation.parameters?.find(({ name }) => name === 'If-Match')).toMatchObject({
          required: true,
          example: '"v1"',
        });
      }
      for (const status of statuses.filter((each) => Number(each) >= 400)) {
        expect([status, Object.keys(responses[status]?.content ?? {})]).toEqual([status, ['application/problem+json']]);
      }
      expect(Object.keys(responses['401']?.headers ?? {})).toContain('WWW-Authenticate');
      expect(Object.keys(responses['503']?.headers ?? {})).toContain('Retry-After');
    },
  );

  it('documents Idempotency-Key, Location and ETag for each create', () => {
    const creates = admin.filter(([, { operation }]) => operation.responses['201'] !== undefined);
    const idempotent = creates.filter(([, { operation }]) =>
      operation.parameters?.some(({ name }) => name === 'Idempotency-Key'),
    );
    expect(idempotent.length).toBeGreaterThanOrEqual(5);
    for (const [name, { operation }] of idempotent) {
      const headers = Object.keys(operation.responses['201']?.headers ?? {});
      expect([name, headers]).toEqual([name, expect.arrayContaining(['ETag', 'Location', 'Idempotency-Replayed'])]);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['409', '422']));
    }
  });

  it('has only schemas that refuse unknown members, and describes the rules of every call', () => {
    const open = Object.entries(document.components.schemas).filter(
      ([, schema]) => schema.type === 'object' && !('additionalProperties' in schema),
    );
    // RFC 6749 3.2: unknown parameters of a form are ignored
    expect(open.map(([name]) => name).sort()).toEqual(['IntrospectionRequest', 'RevocationRequest', 'TokenRequest']);
    for (const word of [
      'If-Match',
      'Idempotency-Key',
      'nextCursor',
      'problem+json',
      'RFC 3339',
      'lk_at_',
      '428',
      '412',
      '422',
    ]) {
      expect(document.info.description).toContain(word);
    }
  });
});
