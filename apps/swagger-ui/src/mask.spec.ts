import { describe, expect, it } from '@jest/globals';
import { MASK, maskBody, maskHeaders } from './mask.ts';

const SECRET = `lk_cs_${'a1'.repeat(24)}b`;

describe('masking of the curl box', () => {
  it('keeps the scheme of a sign-in and hides the rest', () => {
    const headers = { Authorization: 'Basic YWRtaW46c2VjcmV0', 'X-Forward-Auth-Authorization': 'Basic cnM6c2VjcmV0' };
    expect(maskHeaders({ ...headers, accept: '*/*' })).toEqual({
      Authorization: `Basic ${MASK}`,
      'X-Forward-Auth-Authorization': `Basic ${MASK}`,
      accept: '*/*',
    });
  });

  it('hides passwords and secrets in JSON, at any depth, and leaves the rest', () => {
    const body = { username: 'ada', password: 'pässwörd', currentPassword: 'old', items: [{ note: `is ${SECRET}.` }] };
    const masked = maskBody(JSON.stringify(body));
    expect(JSON.parse(masked)).toEqual({
      username: 'ada',
      password: MASK,
      currentPassword: MASK,
      items: [{ note: `is lk_cs_${MASK}.` }],
    });
  });

  it('hides the token in a form, and keeps what is no secret', () => {
    expect(maskBody('token=lk_at_abc&client_ip=127.0.0.1')).toBe(`token=${MASK}&client_ip=127.0.0.1`);
    expect(maskBody('grant_type=client_credentials&scope=')).toBe('grant_type=client_credentials&scope=');
  });

  it('hides our own secrets also in a body that cannot be read as JSON', () => {
    expect(maskBody(`{"name": "${SECRET}`)).toBe(`{"name": "lk_cs_${MASK}`);
  });

  it('shows a client id, which is public', () => {
    const body = '{\n  "clientId": "lk_ci_0123456789abcdefghijklmn"\n}';
    expect(maskBody(body)).toBe(body);
  });
});
