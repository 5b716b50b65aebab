import { BSON } from 'bson';
import { describe, expect, it } from '@jest/globals';
import { Framer, ProtocolError, readMessage, writeReply } from './wire.ts';

/** An OP_MSG as drivers send it. */
function opMsg(command: object, { flags = 0, sequence = [] as object[], checksum = false } = {}): Buffer {
  const parts = [Buffer.from([0]), Buffer.from(BSON.serialize(command))];
  if (sequence.length > 0) {
    const documents = Buffer.concat(sequence.map((document) => Buffer.from(BSON.serialize(document))));
    const name = Buffer.from('documents\0');
    const size = Buffer.alloc(4);
    size.writeInt32LE(4 + name.length + documents.length);
    parts.push(Buffer.from([1]), size, name, documents);
  }
  if (checksum) parts.push(Buffer.alloc(4, 0xaa));
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(20);
  head.writeInt32LE(20 + payload.length, 0);
  head.writeInt32LE(77, 4);
  head.writeInt32LE(2013, 12);
  head.writeUInt32LE(flags, 16);
  return Buffer.concat([head, payload]);
}

describe('messages', () => {
  it('are read with their sections', () => {
    const message = readMessage(opMsg({ insert: 'c' }, { flags: 3, sequence: [{ a: 1 }, { b: 2 }], checksum: true }));
    expect(message).toMatchObject({ requestId: 77, kind: 'command', unanswered: true });
    expect(BSON.deserialize(message.body)).toEqual({ insert: 'c' });
    const size = message.sequence?.readInt32LE(0) ?? 0;
    expect(BSON.deserialize(message.sequence!.subarray(size))).toEqual({ b: 2 });
  });

  it('are answered with their request id', () => {
    const request = readMessage(opMsg({ ping: 1 }));
    const reply = writeReply(request, { ok: 1 });
    expect([reply.readInt32LE(0), reply.readInt32LE(8), reply.readInt32LE(12)]).toEqual([reply.length, 77, 2013]);
    expect(BSON.deserialize(reply.subarray(21))).toEqual({ ok: 1 });
    expect(writeReply(request, BSON.serialize({ ok: 1 })).equals(reply)).toBe(true);
  });

  it.each([
    ['another opcode', (m: Buffer) => m.writeInt32LE(2012, 12)],
    ['a section that overruns it', (m: Buffer) => m.writeInt32LE(1_000, 21)],
    ['a section of no length', (m: Buffer) => m.writeInt32LE(0, 21)],
  ])('with %s are refused', (_case, spoil) => {
    const message = opMsg({ ping: 1 });
    spoil(message);
    expect(() => readMessage(message)).toThrow(ProtocolError);
  });
});

describe('a stream of bytes', () => {
  it.each([1, 3, 7, 64, 10_000])('is split into messages when it arrives %i bytes at a time', (step) => {
    const messages = [opMsg({ ping: 1 }), opMsg({ find: 'x'.repeat(200) }), opMsg({ hello: 1 })];
    const stream = Buffer.concat(messages);
    const framer = new Framer();
    const cut: Buffer[] = [];
    for (let at = 0; at < stream.length; at += step) cut.push(...framer.push(stream.subarray(at, at + step)));
    expect(cut.map((message) => message.toString('hex'))).toEqual(messages.map((message) => message.toString('hex')));
  });

  it.each([0, 15, -1, 48_000_001])('with a message of %i bytes is refused', (length) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(length);
    expect(() => new Framer().push(bytes)).toThrow(ProtocolError);
  });
});
