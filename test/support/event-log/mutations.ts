/** Random tampering with an export and its checkpoints, to compare two verifiers. Seeded, so runs are repeatable. */

/** The input of a verifier. */
export interface Evidence {
  readonly events: readonly Buffer[];
  readonly checkpoints: readonly Buffer[];
  readonly keys: readonly Buffer[];
  readonly partial: boolean;
  readonly chains: readonly string[] | null;
}

export type Random = (below: number) => number;

/** mulberry32: a small generator of whole numbers from 0 to below its argument. */
export function seededRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below) | 0;
  };
}

/** The same evidence after one to three changes. `rehash` gives an event's line its right hash again. */
export function mutate(evidence: Evidence, random: Random, rehash: (event: object) => string): Evidence {
  let { events, checkpoints, keys } = evidence;
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  for (let n = 1 + random(3); n > 0; n--) {
    const kind = random(10);
    if (kind < 3) events = events.map((bytes) => mutateBytes(bytes, random));
    else if (kind < 5) events = events.map((bytes) => mutateLines(bytes, random));
    else if (kind < 8) events = events.map((bytes) => mutateMember(bytes, random, rehash));
    else if (kind < 9) checkpoints = checkpoints.map((bytes) => pick([mutateBytes, mutateDocument])(bytes, random));
    else keys = keys.map((bytes) => pick([mutateBytes, mutateDocument])(bytes, random));
  }
  const bare = random(5) === 0 ? { checkpoints: [], keys: [] } : { checkpoints, keys };
  const chains = random(6) === 0 ? [pick(['op_1', 'platform', 'op_2'])] : null;
  return { events, ...bare, partial: random(6) === 0, chains };
}

const BYTES = Buffer.from('{}[]",:\\0123456789eE.+-truefalsn\n\r\t \u0000\u001f\u007f/uDd8é€\u{1F600}\ufeff', 'utf8');

function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1);
  const byte = random(4) === 0 ? random(256) : (BYTES[random(BYTES.length)] ?? 0);
  const removed = random(3); // 0 inserts, 1 replaces, 2 replaces two
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.of(byte).subarray(random(4) === 0 ? 1 : 0),
    bytes.subarray(at + removed),
  ]);
}

function mutateLines(bytes: Buffer, random: Random): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  const at = random(lines.length);
  const to = random(lines.length);
  const line = lines[at] ?? '';
  const change = [
    () => lines.toSpliced(at, 1),
    () => lines.toSpliced(to, 0, line),
    () => lines.toSpliced(at, 1).toSpliced(to, 0, line),
    () => lines.with(at, lines[to] ?? '').with(to, line),
    () => lines.slice(0, at),
    () => [...lines.slice(at)],
    () => lines.toSpliced(at, 0, ''),
  ][random(7)];
  return Buffer.from((change?.() ?? lines).join('\n'), 'latin1');
}

// prettier-ignore
const TEXTS = [
  'null', 'true', 'false', '0', '-0', '1', '1.0', '1e0', '0.5', '-1', '3', '4', '7', '3.0', '1e999', '9007199254740991', '9007199254740992',
  '123456789012345678901234567890', '""', '"1"', '"op_1"', '"op_2"', '"platform"', '"sign-in.refused.v1"', '"events.archived.v1"', '"cp_1"',
  '"\\ud800"', '"\\u0041"', '"é"', '"\u{1F600}"', '"\u2028"', '[]', '{}', '[[]]', '{"a":1,"a":2}', '{"__proto__":1}', '{"constructor":{}}', '{"10":1,"9":2}',
  `${'['.repeat(70)}${']'.repeat(70)}`, '"2026-03-01T12:00:00.000Z"', '"٢٠٢٦-03-01T12:00:00.000Z"', '{"throughSeq":3,"checkpointId":"cp_1","count":3}',
];

/** Replaces the text of a member's value; sometimes restores the line's canonical form and hash after that. */
function mutateMember(bytes: Buffer, random: Random, rehash: (event: object) => string): Buffer {
  const lines = bytes.toString('utf8').split('\n');
  const at = random(lines.length);
  const line = lines[at] ?? '';
  const members = [...line.matchAll(/"[a-zA-Z]+":("(?:[^"\\]|\\.)*"|-?[0-9]+|null|true|false|\[\]|\{\})/g)];
  const member = members[random(members.length)];
  const value = member?.[1] ?? '';
  const start = (member?.index ?? 0) + (member?.[0].length ?? 0) - value.length;
  let changed = line.slice(0, start) + (TEXTS[random(TEXTS.length)] ?? '') + line.slice(start + value.length);
  if (random(2) === 0) {
    try {
      changed = rehash(JSON.parse(changed) as object);
    } catch {
      // it cannot be restored: it stays unchanged
    }
  }
  const removed = random(4) === 0 ? 0 : 1; // 0: the altered event is a second one
  return Buffer.from(lines.toSpliced(at + 1 - removed, removed, changed).join('\n'));
}

function mutateDocument(bytes: Buffer, random: Random): Buffer {
  const text = bytes.toString('utf8');
  const values = [...text.matchAll(/: ("(?:[^"\\]|\\.)*"|[0-9]+|null)/g)];
  const value = values[random(values.length)];
  const start = (value?.index ?? 0) + 2;
  const end = start + (value?.[1]?.length ?? 0);
  const other = random(3) === 0 ? values[random(values.length)]?.[1] : TEXTS[random(TEXTS.length)];
  return Buffer.from(text.slice(0, start) + (other ?? '') + text.slice(end));
}
