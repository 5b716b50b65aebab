import 'reflect-metadata';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '#config';
import type { Principal, PrincipalAuthenticator } from '#identity';
import { DomainError } from '#kernel';
import type { Role } from '#kernel';
import { Public, Roles } from './access.ts';
import { AdminGuard } from './admin.guard.ts';
import { PersonSignIn } from './person-sign-in.ts';
import { SessionCookie } from './session-cookie.ts';

const PASSWORD = 'p:a:s:s wörd';
const TOKEN = 'header.payload.signature';
const SESSION = 'lk_ss_example';

class Routes {
  @Roles('platform-admin')
  forAdmins(): void {
    /* only its metadata counts */
  }
  @Roles('platform-admin', 'operation-admin')
  forManagers(): void {
    /* only its metadata counts */
  }
  @Public()
  forAll(): void {
    /* only its metadata counts */
  }
  forgotten(): void {
    /* it has no metadata */
  }
}

@Roles('auditor')
class AuditorRoutes {
  read(): void {
    /* its class has the metadata */
  }
  @Public()
  open(): void {
    /* its own metadata wins */
  }
}

const ORIGIN = 'https://latchkey.example';

interface Asked {
  readonly authorization?: string | readonly string[];
  readonly address?: string | null;
  readonly params?: Record<string, string>;
  readonly verb?: string;
  readonly headers?: Record<string, string>;
}

/** A guard whose only user is `ada`, with these roles, and whom it asked about. */
function guardFor(roles: Role[], operationIds: string[] = []) {
  const rights = { roles, operationIds, auditedOperationIds: null };
  const principal: Principal = { userId: 'us_ada', username: 'ada', kind: 'person', ...rights };
  const asked: string[] = [];
  const authenticator = {
    basic: async (username: string, password: string, ip: string) => {
      asked.push(`${username} ${ip}`);
      return Promise.resolve(username.toLowerCase() === 'ada' && password === PASSWORD ? principal : undefined);
    },
    session: async (token: string) => Promise.resolve(token === SESSION ? principal : undefined),
    bearer: async (token: string) => Promise.resolve(token === TOKEN ? principal : undefined),
  };
  const config = loadConfig({
    MONGODB_URI: 'mongodb://127.0.0.1/none',
    REDIS_URL: 'redis://127.0.0.1',
    PUBLIC_URL: ORIGIN,
  });
  const signIn = new PersonSignIn(
    config,
    authenticator as unknown as PrincipalAuthenticator,
    new SessionCookie(config),
  );
  const guard = new AdminGuard(new Reflector(), signIn);
  return { guard, asked, principal };
}

/** Asks the guard about one request. @returns its refusal, or the principal that it found */
async function answerOf(guard: AdminGuard, controller: object, method: string, asked: Asked = {}): Promise<unknown> {
  const { authorization = [], address = '192.0.2.1', params = {}, verb = 'GET', headers = {} } = asked;
  const lines = typeof authorization === 'string' ? [authorization] : authorization;
  const request = {
    raw: { rawHeaders: lines.flatMap((line) => ['Authorization', line]) },
    method: verb,
    headers: { ...headers, authorization: lines[0] },
    clientAddress: address ?? undefined,
    params,
    principal: undefined as Principal | undefined,
  };
  const context = {
    getHandler: () => (controller as { prototype: Record<string, unknown> }).prototype[method],
    getClass: () => controller,
    switchToHttp: () => ({ getRequest: () => request }),
  };
  try {
    expect(await guard.canActivate(context as unknown as ExecutionContext)).toBe(true);
    return request.principal;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return error;
  }
}

/** @returns the code of the guard's refusal, or the principal that it found */
async function ask(...request: Parameters<typeof answerOf>): Promise<unknown> {
  const answer = await answerOf(...request);
  return answer instanceof DomainError ? answer.code : answer;
}

/** What the guard's refusal says. */
async function detailOf(...request: Parameters<typeof answerOf>): Promise<string> {
  const answer = await answerOf(...request);
  if (!(answer instanceof DomainError)) throw new Error('not refused');
  return answer.publicDetail;
}

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const ada = { authorization: basic(`ada:${PASSWORD}`) };

describe('AdminGuard: routes', () => {
  it('accepts everyone on public routes, without a look-up', async () => {
    const { guard, asked } = guardFor([]);
    expect(await ask(guard, Routes, 'forAll', { authorization: 'rubbish' })).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('refuses everyone on a route that does not declare its access', async () => {
    const { guard } = guardFor(['platform-admin', 'operation-admin', 'auditor']);
    expect(await ask(guard, Routes, 'forgotten', ada)).toBe('forbidden');
    expect(await ask(guard, Routes, 'forgotten')).toBe('unauthenticated');
  });

  it('prefers the declaration of the method to that of the class', async () => {
    const auditor = guardFor(['auditor']);
    expect(await ask(auditor.guard, AuditorRoutes, 'read', ada)).toBe(auditor.principal);
    expect(await ask(auditor.guard, AuditorRoutes, 'open')).toBeUndefined();
    expect(await ask(guardFor(['platform-admin']).guard, AuditorRoutes, 'read', ada)).toBe('forbidden');
  });

  it('refuses roles that the route does not name, and people without any', async () => {
    expect(await ask(guardFor(['auditor', 'operation-admin']).guard, Routes, 'forAdmins', ada)).toBe('forbidden');
    expect(await ask(guardFor([]).guard, Routes, 'forAdmins', ada)).toBe('forbidden');
    const admin = guardFor(['platform-admin']);
    expect(await ask(admin.guard, Routes, 'forAdmins', ada)).toBe(admin.principal);
  });
});

describe('AdminGuard: operations', () => {
  const of = (operationId: string): Asked => ({ ...ada, params: { operationId } });

  it('hides other operations from an operation-admin as if they did not exist', async () => {
    const { guard, principal } = guardFor(['operation-admin'], ['op_1']);
    expect(await ask(guard, Routes, 'forManagers', of('op_1'))).toBe(principal);
    expect(await ask(guard, Routes, 'forManagers', of('op_2'))).toBe('not-found');
    expect(await ask(guard, Routes, 'forAdmins', of('op_2'))).toBe('forbidden');
  });

  it('does not let an auditor write to operations that they may only read', async () => {
    const { guard, principal } = guardFor(['operation-admin', 'auditor'], ['op_1']);
    expect(await ask(guard, Routes, 'forManagers', of('op_1'))).toBe(principal);
    expect(await ask(guard, Routes, 'forManagers', of('op_2'))).toBe('forbidden');
  });
});

describe('AdminGuard: sign-in', () => {
  it('reads a password with colons and any script unchanged', async () => {
    const { guard, principal } = guardFor(['platform-admin']);
    expect(await ask(guard, Routes, 'forAdmins', ada)).toBe(principal);
    expect(await ask(guard, Routes, 'forAdmins', { authorization: basic(`ada:${PASSWORD}:JUNK`) })).toBe(
      'unauthenticated',
    );
    expect(await ask(guard, Routes, 'forAdmins', { authorization: basic('ada:p') })).toBe('unauthenticated');
  });

  it.each([
    ['no header', undefined],
    ['another scheme', 'Digest username="ada"'],
    ['a scheme that only contains Basic', ada.authorization.replace('Basic', 'NotBasicAtAll')],
    ['a tab for the space', ada.authorization.replace(' ', '\t')],
    ['something after the pair', `${ada.authorization} more`],
    ['no base64', 'Basic ada:password'],
    ['an empty name', basic(`:${PASSWORD}`)],
    ['an empty password', basic('ada:')],
    ['two headers', [ada.authorization, ada.authorization]],
    ['an empty bearer', 'Bearer '],
  ])('refuses %s without a look-up', async (_what, authorization) => {
    const { guard, asked } = guardFor(['platform-admin']);
    const request = authorization === undefined ? {} : { authorization };
    expect(await ask(guard, Routes, 'forAdmins', request)).toBe('unauthenticated');
    expect(asked).toEqual([]);
  });

  it('accepts tokens of the OpenID Connect provider', async () => {
    const { guard, principal, asked } = guardFor(['platform-admin']);
    expect(await ask(guard, Routes, 'forAdmins', { authorization: `Bearer ${TOKEN}` })).toBe(principal);
    expect(await ask(guard, Routes, 'forAdmins', { authorization: 'Bearer other' })).toBe('unauthenticated');
    expect(asked).toEqual([]);
  });

  it('reports a wrong name or password only if both were sent, and otherwise how to sign in', async () => {
    const { guard } = guardFor(['platform-admin']);
    const detail = async (authorization?: string): Promise<string> => {
      const asked = authorization === undefined ? {} : { authorization };
      return detailOf(guard, Routes, 'forAdmins', asked);
    };
    expect(await detail(basic('ada:wrong'))).toBe('The user name or password is wrong.');
    expect(await detail(basic('nobody:wrong'))).toBe('The user name or password is wrong.');
    expect(await detail('Bearer other')).toMatch(/^The bearer token is not valid\./);
    expect(await detail()).toMatch(/^Sign in with HTTP Basic/);
    expect(await detail('Basic rubbish')).toMatch(/^Sign in with HTTP Basic/);
  });

  it('refuses sign-in by password if the address is unknown', async () => {
    const { guard, asked } = guardFor(['platform-admin']);
    expect(await ask(guard, Routes, 'forAdmins', { ...ada, address: null })).toBe('unauthenticated');
    expect(asked).toEqual([]);
  });
});

describe('AdminGuard: sessions', () => {
  const cookie = `__Host-latchkey=${SESSION}`;

  it('accepts a session cookie without Authorization, and ignores it with Authorization', async () => {
    const { guard, principal } = guardFor(['platform-admin']);
    expect(await ask(guard, Routes, 'forAdmins', { headers: { cookie: `theme=dark; ${cookie}` } })).toBe(principal);
    for (const authorization of [basic('ada:wrong'), 'Bearer other', 'Digest x', 'Basic rubbish']) {
      expect(await ask(guard, Routes, 'forAdmins', { headers: { cookie }, authorization })).toBe('unauthenticated');
    }
    expect(await ask(guard, Routes, 'forAdmins', { headers: { cookie: `latchkey=${SESSION}` } })).toBe(
      'unauthenticated',
    );
    expect(await ask(guard, Routes, 'forAdmins', { headers: { cookie: `${cookie}x` } })).toBe('unauthenticated');
  });

  it.each([
    ['nothing', {}, 'cross-site-request'],
    ['a foreign Origin', { origin: 'https://evil.example' }, 'cross-site-request'],
    ['the Origin null', { origin: 'null' }, 'cross-site-request'],
    ['its own origin with another port', { origin: `${ORIGIN}:8443` }, 'cross-site-request'],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }, 'cross-site-request'],
    ['Sec-Fetch-Site: none', { 'sec-fetch-site': 'none' }, 'cross-site-request'],
    ['Sec-Fetch-Site: same-origin', { 'sec-fetch-site': 'same-origin' }, 'let in'],
    ['its own Origin', { origin: ORIGIN }, 'let in'],
  ])('answers a write by a session with %s as it should', async (_what, headers, answer) => {
    const { guard, principal } = guardFor(['platform-admin']);
    for (const verb of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const found = await ask(guard, Routes, 'forAdmins', { verb, headers: { cookie, ...headers } });
      expect(found).toBe(answer === 'let in' ? principal : answer);
    }
    for (const verb of ['GET', 'HEAD']) {
      expect(await ask(guard, Routes, 'forAdmins', { verb, headers: { cookie, ...headers } })).toBe(principal);
    }
  });

  it('refuses a cross-site write by HTTP Basic without checking the password, and accepts bearers from any site', async () => {
    const { guard, principal, asked } = guardFor(['platform-admin']);
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect(await ask(guard, Routes, 'forAdmins', { ...ada, verb: 'POST', headers })).toBe('cross-site-request');
    expect(asked).toEqual([]);
    expect(await ask(guard, Routes, 'forAdmins', { ...ada, verb: 'GET', headers })).toBe(principal);
    expect(await ask(guard, Routes, 'forAdmins', { ...ada, verb: 'POST' })).toBe(principal);
    const bearer = { authorization: `Bearer ${TOKEN}`, verb: 'POST', headers };
    expect(await ask(guard, Routes, 'forAdmins', bearer)).toBe(principal);
  });
});
