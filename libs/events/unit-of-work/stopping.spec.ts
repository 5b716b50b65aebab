import { expect, it } from '@jest/globals';
import { Stopping } from './stopping.ts';

it('interrupts work during shutdown with an error that asks to retry, since it can also be a request', () => {
  const stopping = new Stopping();
  stopping.check();
  stopping.onModuleDestroy();
  expect(() => stopping.check()).toThrow(
    expect.objectContaining({
      code: 'store-unavailable',
      publicDetail: expect.stringMatching(/again/) as unknown as string,
    }),
  );
});
