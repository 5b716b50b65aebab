import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { rolesPage } from '../../tools/roles-page.ts';
import type { RolesDocument } from '../../tools/roles-page.ts';

describe('docs/roles.md', () => {
  it('is what docs/openapi.json says: npm run docs writes both', () => {
    const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as RolesDocument;
    expect(readFileSync('docs/roles.md', 'utf8')).toBe(rolesPage(document));
  });
});
