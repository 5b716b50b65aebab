import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { EventBody, PageBody } from '../support/api.ts';
import { latchkey } from '../support/latchkey.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

describe('latchkey admin-reset', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.discard());

  /** Runs it beside the service, as someone who has the store's URI and nothing else. */
  async function reset(...args: string[]): Promise<{ said: string; username: string; password: string }> {
    const { status, stdout, stderr } = await latchkey(['admin-reset', ...args], { MONGODB_URI: service.database.uri });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, username = '', password = ''] = /^user name {2}(\S+)\npassword {3}(\S+)$/m.exec(stdout) ?? [];
    return { said: stdout.split('\n')[0] ?? '', username, password };
  }

  const statusFor = async (user: { username: string; password: string }): Promise<number> =>
    (await new Api(service.url).as(user).get('/v1/users')).status;

  it('replaces the lost password and prints a new one, which works immediately', async () => {
    expect(await statusFor(ADMIN)).toBe(200);
    const { said, ...admin } = await reset();
    expect(said).toBe('The password was reset.');
    expect(await statusFor(ADMIN)).toBe(401);
    expect(await statusFor(admin)).toBe(200);
    const events = await new Api(service.url).as(admin).get<PageBody<EventBody>>('/v1/events?type=user.updated.v2');
    expect(events.body.items[0]).toMatchObject({
      actor: { type: 'system', id: 'admin-reset' },
      data: { passwordChanged: true },
    });
    expect(events.text).not.toContain(admin.password);
  });

  it('creates the platform-admin when no user has that name', async () => {
    const { said, ...admin } = await reset('--username', 'Rescue');
    expect({ said, username: admin.username }).toEqual({
      said: 'This platform-admin was created.',
      username: 'Rescue',
    });
    expect(await statusFor(admin)).toBe(200);
  });

  it('refuses a name that is not a valid user name', async () => {
    const { status } = await latchkey(['admin-reset', '--username', 'a b'], { MONGODB_URI: service.database.uri });
    expect(status).toBe(64);
  });
});
