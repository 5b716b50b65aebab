import type { FastifyReply } from 'fastify';
import type { DomainError } from '#kernel';

/** Injection token of the error formats beside problem+json. */
export const ERROR_FORMATS = Symbol('ERROR_FORMATS');

/** How a family of routes sends its errors, where a standard prescribes another format than problem+json. */
export interface ErrorFormat {
  /** Whether errors of this request are sent in this format. @param url the request target, with its query */
  covers(url: string): boolean;

  /**
   * Sends an everyday refusal, which was counted where it was made and is no fault of the service.
   *
   * @returns whether the error was one
   */
  sendRefusal(thrown: unknown, reply: FastifyReply): boolean;

  /** Sends any other error. */
  send(error: DomainError, reply: FastifyReply): void;
}
