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

Every type of event that the service writes, with what its \`data\` holds. This page is made from \`libs/event-types/event-catalogue.ts\` by
\`UPDATE_DOCS=1 npm test -- test/architecture/events-page.spec.ts\`; a test holds the service to it. What every event has beside
\`data\`, and how the log is verified, [the format](event-log-format.md) says; [auditing](auditing.md) how to go about it.

A type's version (\`.v1\`) changes when what is said in \`data\` changes its meaning or goes; a member may be added without. A type that is
written no more keeps its place here, since a log may hold events of it for years: search, export and verification treat them like all others.
No event holds a token, a secret or a password.

**Before and after.** Each change tells what it changed, from what and to what. What a thing was at any moment follows from its events up to then: a test
replays the log of random histories and compares the result with what is stored. (\`user.updated.v1\` of version 0.1.0 did not tell values.)

**What has an event.** Each change has one, in the transaction that makes it: a change without its event is not made (503), and one that failed has none. So has each token that
is issued, each revocation, purge and pruning. Refusals are summed up outside the chains. Whoever reads or exports the log is told of as well:
an export before it begins, in the chain exported; reading once for each reader, filter and minute, however often they look, in the platform's
chain. To verify the log by \`GET /v1/events/verify\` shows nothing of its contents, and is not told.

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
