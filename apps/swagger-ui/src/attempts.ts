/**
 * One `Idempotency-Key` for each request that is sent from one *Try it out*: *Execute* pressed twice has one effect.
 * Another path or body is another request and gets a key of its own.
 */
export class Attempts {
  private readonly keys = new Map<string, Map<string, string>>();

  constructor(private readonly makeKey: () => string) {}

  /** *Try it out* was pressed. @param operation its method and path template */
  begin(operation: string): void {
    this.keys.delete(operation);
  }

  /** @param request everything that makes the request what it is: path and body */
  keyFor(operation: string, request: string): string {
    const ofOperation = this.keys.get(operation) ?? new Map<string, string>();
    this.keys.set(operation, ofOperation);
    const key = ofOperation.get(request) ?? this.makeKey();
    ofOperation.set(request, key);
    return key;
  }
}

/** 128 random bits. `crypto.randomUUID` is missing where a page is served by plain http. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
