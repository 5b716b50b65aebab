/** Ends a dry run in place of the commit: its transaction is rolled back, and the rest of its command does not run. */
export class DryRunRollback extends Error {
  override readonly name = 'DryRunRollback';

  constructor() {
    super('a dry run is rolled back');
  }
}
