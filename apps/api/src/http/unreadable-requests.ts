import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { DomainError } from '#kernel';
import { problemOf } from './problem.ts';
import { requestIdOf } from './request-id.ts';

/** Errors of Node's HTTP parser by code. All others are `malformed-request`. */
const parserErrors: Readonly<Record<string, () => DomainError>> = {
  HPE_HEADER_OVERFLOW: () =>
    new DomainError('headers-too-large', 'The header is too large. Send fewer or shorter headers.'),
  ERR_HTTP_REQUEST_TIMEOUT: () =>
    new DomainError('request-timeout', 'The request took too long to arrive. Send it again.'),
};

/** Sends a problem document for a request that the HTTP parser cannot read, and closes the connection. */
export function answerUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const fault =
    parserErrors[error.code ?? '']?.() ?? new DomainError('malformed-request', 'This is not a valid HTTP request.');
  endWith(socket, fault);
}

/** Sends problem documents where Node would answer without a body: an unknown Expect, and CONNECT. */
export function answerForNode(server: Server): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    if (response.socket !== null) {
      endWith(response.socket, new DomainError('expectation-failed', 'The only supported Expect is 100-continue.'));
    }
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    endWith(socket, new DomainError('method-not-allowed', 'This service is not a proxy.'), 'Allow: GET, HEAD\r\n');
  });
}

// RFC 9110 7.2: host and optional port, without characters that could make it ambiguous
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@[\]\\,"<>^`{|}]*)(?::\d*)?$/;

/**
 * Checks the Host of a request: HTTP/1.1 requires exactly one (RFC 9112 3.2). Of two, Node keeps the first, while a
 * proxy in front may have used the second.
 */
export function faultOfHost({ httpVersionMinor, httpVersionMajor, rawHeaders }: IncomingMessage): string | undefined {
  let host: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return 'The request has several Host headers. Send one.';
    host = rawHeaders[at + 1] ?? '';
  }
  if (host === undefined) {
    const isHttp10 = httpVersionMajor === 1 && httpVersionMinor === 0;
    return isHttp10 ? undefined : 'HTTP/1.1 requires a Host header.';
  }
  return HOST.test(host) ? undefined : 'The Host header is not a host with an optional port.';
}

function endWith(socket: Duplex, fault: DomainError, headers = ''): void {
  const problem = problemOf(fault, requestIdOf(undefined));
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
      `Content-Type: application/problem+json\r\nX-Request-Id: ${problem.instance}\r\nX-Content-Type-Options: nosniff\r\n` +
      `Cache-Control: no-store\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
