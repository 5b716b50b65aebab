import type { Workload } from '../load/wrk.ts';
import type { Server } from './server.ts';

/** The scenarios, by their letters in the report. */
export const scenarios = {
  S0: 'a fixed answer, or one store read',
  S1: 'token issue',
  S2: 'introspection of live tokens',
  S3: 'introspection of unknown tokens, well formed',
  S3c: 'introspection of unknown tokens of unknown clients, well formed',
  S3r: 'introspection of rubbish',
  S4: '95 % introspection, 5 % issue',
  FA: 'forward-auth',
  WS: 'token request with a wrong secret',
} as const;

export type Scenario = keyof typeof scenarios;

/** A server under load, and its requests for each scenario that it supports. */
export interface Target {
  readonly name: string;
  readonly server: Server;
  /**
   * Prepares a round (fresh tokens) and checks that the target is correct: a live token is active, an unknown
   * one is not, a wrong secret is 401.
   *
   * @throws Error when it does not
   */
  prepare(): Promise<Partial<Record<Scenario, Workload>>>;
  /** Checks after the round that the live tokens still are: otherwise the run measured refusals. */
  verify(): Promise<void>;
}

/** Runs `work` on all items, a few at once. */
export async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>, atOnce = 16): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += atOnce) {
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(work))));
  }
  return results;
}

/** 95 requests of one kind to 5 of the other, evenly mixed, until each of `rare` was sent once. */
export function mixed(common: readonly string[], rare: readonly string[]): string[] {
  return rare.flatMap((request, index) => {
    const nineteen = Array.from({ length: 19 }, (_unused, at) => common[(index * 19 + at) % common.length] ?? '');
    return [...nineteen, request];
  });
}

/** Posts a form. */
export async function postForm(
  url: string,
  authorization: string,
  fields: Readonly<Record<string, string>>,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, { method: 'POST', headers: { authorization }, body: new URLSearchParams(fields) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** @throws Error with the message unless it holds */
export function ensure(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
