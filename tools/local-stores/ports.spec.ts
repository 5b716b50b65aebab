import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { isTaken } from './ports.ts';

describe('isTaken', () => {
  it('is true while another server listens on the port, and false afterwards', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await isTaken(port, '127.0.0.1')).toBe(true);
    await new Promise((resolve) => other.close(resolve));
    expect(await isTaken(port, '127.0.0.1')).toBe(false);
    expect(await isTaken(0, '127.0.0.1')).toBe(false);
  });
});
