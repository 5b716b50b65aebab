import { describe, expect, it } from '@jest/globals';
import { adaptDocument } from './adapt-document.ts';

const parameter = (name: string, where: string, more: object = {}): object => ({ name, in: where, ...more });

describe("the page's copy of the document", () => {
  it('fills in no path and no If-Match, and lets headers be left empty that the page sends', () => {
    const parameters = [
      parameter('credentialId', 'path', { required: true, example: 'cr_example' }),
      parameter('If-Match', 'header', { required: true, example: '"v1"', schema: { type: 'string', example: '*' } }),
      parameter('limit', 'query', { example: 20 }),
    ];
    const { paths } = adaptDocument({ paths: { '/v1/x/{credentialId}': { delete: { parameters } } } });
    expect(paths['/v1/x/{credentialId}']?.['delete']?.parameters).toEqual([
      parameter('credentialId', 'path', { required: true }),
      parameter('If-Match', 'header', {
        required: false,
        description: expect.stringContaining('Optional'),
        schema: { type: 'string' },
      }),
      parameter('limit', 'query', { example: 20 }),
    ]);
  });

  it('fills in no token', () => {
    const form = { example: { token: 'lk_at_example' }, properties: { token: { type: 'string', example: 'lk_at_x' } } };
    const { components } = adaptDocument({ paths: {}, components: { schemas: { IntrospectionRequest: form } } });
    expect(components?.schemas?.['IntrospectionRequest']).toEqual({
      example: { token: '' },
      properties: { token: { type: 'string', example: '' } },
    });
  });
});
