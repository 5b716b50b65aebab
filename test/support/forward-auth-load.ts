import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { SignIn } from './api.ts';

/** The pause before the next connection, in milliseconds. */
const RECONNECT_MS = 50;
const STATUS_LINE = /HTTP\/1\.1 (\d{3})/g;

/** One request that is not answered yet. */
interface Asked<T> {
  readonly about: T;
  readonly answered: (status: number) => void;
}

/**
 * Sends forward-auth requests over one connection, pipelined (RFC 9112 9.3.2), so that a test can afford a million.
 * A request begins when it is written to the socket.
 */
export class ForwardAuthLoad<T> {
  private socket: Socket;
  private isOpen = true;
  private readonly head: string;
  private readonly waiting: Asked<T>[] = [];
  private rest = '';
  private isClosing = false;
  private readonly open: () => Socket;

  /** @param url of the instance @param gateway who asks @param api the API that is asked about */
  constructor(url: string, gateway: SignIn, api: string) {
    const { hostname, port } = new URL(url);
    const pair = Buffer.from(`${gateway.username}:${gateway.password}`).toString('base64');
    this.head =
      `GET /oauth2/forward-auth?api=${api} HTTP/1.1\r\nHost: load\r\nX-Forward-Auth-Authorization: Basic ${pair}\r\n` +
      'X-Forward-Auth-Client-IP: 127.0.0.1\r\nAuthorization: Bearer ';
    this.open = () => connect(Number(port), hostname);
    this.socket = this.connected();
  }

  /** How many requests are unanswered. */
  get pending(): number {
    return this.waiting.length;
  }

  /** Whether a question would be sent now; after a connection was lost, there soon is another one. */
  get canAsk(): boolean {
    return this.isOpen;
  }

  /** @param answered told the status, 0 when the connection is lost */
  ask(token: string, about: T, answered: (status: number) => void): void {
    this.waiting.push({ about, answered });
    this.socket.write(`${this.head}${token}\r\n\r\n`);
  }

  close(): void {
    this.isClosing = true;
    this.socket.destroy();
  }

  /** Answers of forward-auth have no body: each ends with its header. */
  private read(text: string): void {
    this.rest += text;
    const end = this.rest.lastIndexOf('\r\n\r\n');
    if (end < 0) return;
    const whole = this.rest.slice(0, end);
    this.rest = this.rest.slice(end + 4);
    for (const [, status] of whole.matchAll(STATUS_LINE)) this.waiting.shift()?.answered(Number(status));
  }

  private connected(): Socket {
    const socket = this.open();
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.read(text));
    socket.on('error', () => undefined).on('close', () => this.lost());
    return socket;
  }

  private lost(): void {
    this.isOpen = false;
    this.rest = '';
    for (const { answered } of this.waiting.splice(0)) answered(0);
    if (this.isClosing) return;
    setTimeout(() => {
      this.socket = this.connected();
      this.isOpen = true;
    }, RECONNECT_MS).unref();
  }
}
