import { z } from 'zod';
import type { EventDescription } from '../../../libs/event-types/event-description.ts';
import { eventCatalogue } from '../../../libs/event-types/event-catalogue.ts';

interface Member {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: Member;
  readonly properties?: Readonly<Record<string, Member>>;
  readonly anyOf?: readonly Member[];
  readonly format?: string;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly example?: unknown;
}

const CHAINS = {
  operation: 'the operation’s',
  platform: 'the platform’s',
  'operation or platform': 'the operation’s or the platform’s',
  none: 'none',
} as const;

const HEAD = `# Events

Every type of event that the service writes, with the members of its \`data\`. This page is generated from
\`libs/event-types/event-catalogue.ts\` by \`UPDATE_DOCS=1 npm test -- test/architecture/events-page.spec.ts\`. A test checks
that the service writes what it says. [The format](event-log-format.md) specifies the other members of an event and how to
verify the log. [Auditing](auditing.md) is the guide for auditors.

The version of a type (\`.v1\`) changes if a member of \`data\` changes its meaning or is removed. A new member does not change it.
Types that are no longer written stay on this page, since a log may hold such events for years. Search, export and verification
treat them like all others. No event contains a token, a secret or a password.

**Before and after.** Each change records the old and the new values, so the events reproduce the state of a resource at any
moment. A test replays the log of random histories and compares the result with the store. (\`user.updated.v1\` of version 0.1.0
did not contain values.)

**What has an event.** Each change has one, in the transaction that makes it. If the event cannot be written, the change is not
made (503). A change that failed has no event. Each issued token, revocation, purge and pruning has one too. Refusals are summed
up outside the chains. Reading or exporting the log has an event as well. That of an export is written before the export begins,
in the exported chain. Reading has one event per reader and minute, in the platform's chain. Verifying the log by
\`GET /v1/events/verify\` reveals none of its contents and has no event.

| type | chain | |
|---|---|---|
`;

/** docs/events.md, from the catalogue. */
export function eventsPage(): string {
  const rows = eventCatalogue.map(
    ({ type, chain, writtenUntil }) =>
      `| [\`${type}\`](#${anchor(type)}) | ${CHAINS[chain]} | ${writtenUntil === undefined ? '' : `written until ${writtenUntil}`} |`,
  );
  return `${HEAD}${rows.join('\n')}\n\n${eventCatalogue.map(section).join('\n')}`;
}

/** \`data\` of an event of this type, made of the members' examples. */
export function exampleData({ data }: EventDescription): unknown {
  const { properties = {} } = z.toJSONSchema(data) as Member;
  return Object.fromEntries(Object.entries(properties).map(([name, { example }]) => [name, example]));
}

function section(event: EventDescription): string {
  const { properties = {} } = z.toJSONSchema(event.data) as Member;
  const required = (z.toJSONSchema(event.data).required ?? []) as readonly string[];
  const rows = Object.entries(properties).map(
    ([name, member]) =>
      `| \`${name}\`${required.includes(name) ? '' : ' (optional)'} | ${typeOf(member)} | ${member.description ?? ''} |`,
  );
  return [
    `## ${event.type}`,
    '',
    event.what,
    ...(event.writtenUntil === undefined ? [] : ['', `Written until version ${event.writtenUntil}.`]),
    '',
    `Chain: ${CHAINS[event.chain]}. Subject: ${event.subjects.map(code).join(', ')}, ${event.subjectId}. Actor: ${event.actors.map(code).join(', ')}.`,
    '',
    '| `data` | | |',
    '|---|---|---|',
    ...rows,
    '',
    '```json',
    JSON.stringify(exampleData(event)),
    '```',
    '',
  ].join('\n');
}

function typeOf(member: Member): string {
  if (member.anyOf !== undefined) return member.anyOf.map(typeOf).join(' or ');
  if (member.enum !== undefined) return member.enum.map(code).join(', ');
  if (member.type === 'array') return `list of ${member.items === undefined ? '' : typeOf(member.items)}`;
  if (member.properties !== undefined) {
    const names = Object.keys(member.properties);
    const all = names.every((name) => member.required?.includes(name));
    return `${all ? '' : 'some of '}${names.map(code).join(', ')}`;
  }
  if (member.format === 'date-time') return 'time';
  return member.type ?? '';
}

function code(text: string): string {
  return `\`${text}\``;
}

function anchor(type: string): string {
  return type.replaceAll('.', '');
}
