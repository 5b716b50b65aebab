import type { FastifyReply } from 'fastify';
import type { DomainError } from '#kernel';

/** Injection token of the error formats other than problem+json. */
export const ERROR_FORMATS = Symbol('ERROR_FORMATS');

/** The error format of routes for which a standard prescribes another one than problem+json. */
export interface ErrorFormat {
  /** Whether errors of this request are sent in this format. @param url the request target, with its query */
  covers(url: string): boolean;

  /**
   * Sends a refusal, which is already counted and needs no log entry.
   *
   * @returns whether the error was a refusal
   */
  sendRefusal(thrown: unknown, reply: FastifyReply): boolean;

  /** Sends any other error. */
  send(error: DomainError, reply: FastifyReply): void;
}
