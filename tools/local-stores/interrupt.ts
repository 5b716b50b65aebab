import { endLongRuns } from './debian.ts';
import type { Say } from './debian.ts';
import type { Ledger } from './ledger.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Until it is taken back, an interrupt (Ctrl-C, SIGTERM, a closed terminal) ends all that the ledger knows and what is
 * being installed, and then this process.
 * @returns takes it back
 */
export function endOnInterrupt(ledger: Ledger, say: Say): () => void {
  const handlers = Object.entries(SIGNALS).map(([signal, exitCode]) => {
    const handler = (): void => {
      say('ending');
      endLongRuns();
      void ledger.close().finally(() => process.exit(exitCode));
    };
    process.once(signal, handler);
    return () => void process.off(signal, handler);
  });
  return () => handlers.forEach((takeBack) => takeBack());
}
