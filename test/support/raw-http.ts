import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** The header lines as they are, in their order. */
  readonly headerLines: readonly string[];
  /** By lower-case name; several lines of one name are joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const ANSWER_LIMIT_MS = 8_000;

/**
 * A connection that sends exactly the given bytes, for requests that no HTTP client sends.
 * Characters above 127 are sent as Latin-1, one byte each.
 */
export class RawConnection {
  private received = Buffer.alloc(0);
  private ended = false;
  private failure: string | undefined;
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    const end = (): void => {
      this.ended = true;
      this.wake();
    };
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.failure = error.code ?? error.message;
    });
    socket.on('close', end).on('end', end).on('error', end);
  }

  /**
   * @param url where the service listens
   * @param allowHalfOpen whether it can still send after the service has closed its side
   */
  static async open(url: string, { allowHalfOpen = false } = {}): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    // over IPv4 to a dual-stack listener, which then sees a mapped address
    const host = hostname === '[::]' ? '127.0.0.1' : hostname;
    const socket = connect({ port: Number(port), host, allowHalfOpen });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawConnection(socket);
  }

  send(bytes: string): void {
    this.socket.write(Buffer.from(bytes, 'latin1'));
  }

  /** The next final answer; skips interim ones (100 Continue). @param toHead whether it answers HEAD, without a body */
  async answer(toHead = false): Promise<RawAnswer> {
    const deadline = Date.now() + ANSWER_LIMIT_MS;
    for (;;) {
      const answer = this.take(toHead);
      if (answer !== undefined && answer.status >= 200) return answer;
      if (answer !== undefined) continue;
      if (this.ended || Date.now() > deadline) {
        throw new Error(`no whole answer came: ${JSON.stringify(this.received.toString('latin1').slice(0, 500))}`);
      }
      await this.more(deadline - Date.now());
    }
  }

  close(): void {
    this.socket.destroy();
  }

  /** Sends nothing more, and still receives. */
  end(): void {
    this.socket.end();
  }

  /** Waits until it is closed. @returns the code of the error that closed it, if any */
  async closed(): Promise<string | undefined> {
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve));
    return this.failure;
  }

  private async more(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, limitMs);
    });
    clearTimeout(timer);
  }

  /** Takes one complete answer from the received bytes. */
  private take(toHead: boolean): RawAnswer | undefined {
    const headEnd = this.received.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const [statusLine = '', ...headerLines] = this.received.toString('latin1', 0, headEnd).split('\r\n');
    const headers = new Map<string, string>();
    for (const line of headerLines) {
      const name = line.slice(0, line.indexOf(':')).toLowerCase();
      const value = line.slice(line.indexOf(':') + 1).trim();
      headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
    }
    const status = Number(statusLine.split(' ')[1]);
    const bodyless = toHead || status < 200 || status === 204 || status === 304;
    const rest = this.received.subarray(headEnd + 4);
    const read = bodyless ? { body: '', length: 0 } : this.bodyOf(rest, headers);
    if (read === undefined) return undefined;
    this.received = rest.subarray(read.length);
    return { status, headerLines, headers, body: read.body };
  }

  private bodyOf(rest: Buffer, headers: ReadonlyMap<string, string>): { body: string; length: number } | undefined {
    const length = headers.get('content-length');
    if (length !== undefined) {
      return rest.length < Number(length)
        ? undefined
        : { body: rest.toString('utf8', 0, Number(length)), length: Number(length) };
    }
    if (headers.get('transfer-encoding') === 'chunked') return unchunk(rest);
    return this.ended ? { body: rest.toString('utf8'), length: rest.length } : undefined;
  }
}

function unchunk(rest: Buffer): { body: string; length: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (rest.length < end) return undefined;
    if (size === 0) return { body: Buffer.concat(parts).toString('utf8'), length: end };
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = end;
  }
}

/** A request that is sent unchanged. */
export interface RawRequest {
  readonly method?: string;
  /** The request target, as in the request line. */
  readonly target: string;
  readonly version?: string;
  /** Header lines, sent unchanged; `Host` is added. */
  readonly headers?: readonly string[];
  /** Its length is added as Content-Length unless a header line says otherwise. */
  readonly body?: string;
}

/** The bytes of a request. */
export function rawRequest({ method = 'POST', target, version = '1.1', headers = [], body }: RawRequest): string {
  const framed = headers.some((line) => /^(content-length|transfer-encoding):/i.test(line));
  const lines = [`${method} ${target} HTTP/${version}`, 'Host: latchkey.test', ...headers];
  if (body !== undefined && !framed) lines.push(`Content-Length: ${Buffer.byteLength(body, 'latin1')}`);
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** Sends one request over a connection of its own. */
export async function sendRaw(url: string, request: RawRequest): Promise<RawAnswer> {
  const connection = await RawConnection.open(url);
  try {
    connection.send(rawRequest(request));
    return await connection.answer(request.method === 'HEAD');
  } finally {
    connection.close();
  }
}

export const FORM = 'Content-Type: application/x-www-form-urlencoded';

/** `Authorization: Basic …` of a pair, neither form-encoded nor checked. */
export function basicLine(pair: string): string {
  return `Authorization: Basic ${Buffer.from(pair, 'latin1').toString('base64')}`;
}
