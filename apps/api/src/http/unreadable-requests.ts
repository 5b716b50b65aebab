import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { DomainError } from '#kernel';
import { problemOf } from './problem.ts';
import { requestIdOf } from './request-id.ts';

/** What Node's HTTP parser gives up with, by its codes; anything else is malformed. */
const parserErrors: Readonly<Record<string, () => DomainError>> = {
  HPE_HEADER_OVERFLOW: () => new DomainError('headers-too-large', 'Send a smaller header.'),
  ERR_HTTP_REQUEST_TIMEOUT: () => new DomainError('request-timeout', 'Send the whole request sooner.'),
};

/** What the HTTP parser could not read still gets a problem document. The connection ends with it. */
export function answerUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const fault =
    parserErrors[error.code ?? '']?.() ??
    new DomainError('malformed-request', 'This is no HTTP request that can be read.');
  endWith(socket, fault);
}

/** Has Node ask us where it would answer on its own, without a word: an Expect that it does not know, and CONNECT. */
export function answerForNode(server: Server): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    if (response.socket !== null) {
      endWith(response.socket, new DomainError('expectation-failed', 'The only Expect that is known is 100-continue.'));
    }
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    endWith(socket, new DomainError('method-not-allowed', 'This is no proxy.'), 'Allow: GET, HEAD\r\n');
  });
}

// RFC 9110 7.2: an authority's host and port; without what could make two of it
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@[\]\\,"<>^`{|}]*)(?::\d*)?$/;

/**
 * What is wrong with the Host of a request: HTTP/1.1 wants exactly one (RFC 9112 3.2). Node would refuse its absence without a
 * word, and of two keep the first, where a proxy before it may have gone by the second.
 */
export function faultOfHost({ httpVersionMinor, httpVersionMajor, rawHeaders }: IncomingMessage): string | undefined {
  let host: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return 'Send one Host header; this request has several.';
    host = rawHeaders[at + 1] ?? '';
  }
  if (host === undefined) {
    const isOld = httpVersionMajor === 1 && httpVersionMinor === 0;
    return isOld ? undefined : 'HTTP/1.1 wants a Host header.';
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
