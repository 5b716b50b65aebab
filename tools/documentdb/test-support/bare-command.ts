import { connect } from 'node:net';
import { BSON } from 'bson';

/** Sends a command over a connection of its own that adds nothing to it, as a driver would. @returns the reply */
export async function bareCommand(uri: string, command: object): Promise<unknown> {
  const { hostname, port } = new URL(uri);
  const socket = connect(Number(port), hostname);
  const body = BSON.serialize(command);
  const head = Buffer.alloc(21);
  head.writeInt32LE(21 + body.length, 0);
  head.writeInt32LE(2013, 12);
  socket.write(Buffer.concat([head, body]));
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  socket.destroy();
  return BSON.deserialize(answer.subarray(21));
}
