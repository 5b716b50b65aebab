/** Exit codes of the commands. Values from 64 on are those of BSD's sysexits.h. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** EX_USAGE: an unknown command or a wrong argument. */
  usage: 64,
  /** EX_UNAVAILABLE: a store that the command needs did not answer in time. */
  unavailable: 69,
  /** EX_CONFIG: the configuration is not valid. */
  config: 78,
} as const;
