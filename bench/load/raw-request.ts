/** The content of one prepared request. */
export interface RequestParts {
  readonly path: string;
  readonly authorization?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An encoded form; without one the request is a GET. */
  readonly form?: string;
}

/** The bytes of an HTTP/1.1 request, as a client library would send it. */
export function rawRequest({ path, authorization, headers = {}, form }: RequestParts): string {
  const lines = [
    `${form === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Accept: application/json',
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(form === undefined
      ? []
      : ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${Buffer.byteLength(form)}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${form ?? ''}`;
}

/** The value of an Authorization header for HTTP Basic. */
export function basic(name: string, secret: string): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
}
