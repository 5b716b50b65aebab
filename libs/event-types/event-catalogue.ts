import { administrationEvents, retiredAdministrationEvents } from './administration-events.ts';
import { credentialEvents, retiredCredentialEvents } from './credential-events.ts';
import type { EventDescription } from './event-description.ts';
import { logEvents } from './log-events.ts';
import { operationEvents, retiredOperationEvents } from './operation-events.ts';
import { reviewEvents } from './review-events.ts';
import { peopleEvents, retiredPeopleEvents } from './people-events.ts';

/** Every type of event that a log can hold. docs/events.md is generated from it. */
export const eventCatalogue: readonly EventDescription[] = [
  ...[
    ...credentialEvents,
    ...operationEvents,
    ...administrationEvents,
    ...peopleEvents,
    ...logEvents,
    ...reviewEvents,
  ].map(({ description }) => description),
  ...retiredCredentialEvents,
  ...retiredOperationEvents,
  ...retiredAdministrationEvents,
  ...retiredPeopleEvents,
];
