import { administrationEvents } from './administration-events.ts';
import { credentialEvents } from './credential-events.ts';
import type { EventDescription } from './event-description.ts';
import { logEvents } from './log-events.ts';

/** Every type of events that the service writes. docs/events.md is made of it, and a test holds what the service writes to it. */
export const eventCatalogue: readonly EventDescription[] = [...credentialEvents, ...administrationEvents, ...logEvents];
