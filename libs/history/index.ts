export { ListApiCredentialsQuery } from './api-credentials.query.ts';
export { ApiGrants } from './api-grants.ts';
export { HistoryModule } from './history.module.ts';
export { PastRecords } from './past-records.ts';
export type { DecidedPart } from './past-records.ts';
