import { Injectable } from '@nestjs/common';
import { bounded } from '#mongo';
import type { FoundLeak, LeakKind } from './domain/leak.ts';
import { MachineLeaks } from './machine-leaks.ts';
import { PeopleLeaks } from './people-leaks.ts';

type Find = (text: string) => Promise<FoundLeak | undefined>;

/** Finds the owner of a token or secret by its digest, as of the last fence or later. */
@Injectable()
export class LeakFinder {
  private readonly finders: Readonly<Record<LeakKind, Find>>;

  constructor(machines: MachineLeaks, people: PeopleLeaks) {
    this.finders = {
      'access-token': (text) => machines.token(text),
      'client-secret': (text) => machines.clientSecret(text),
      'resource-server-secret': (text) => machines.resourceServerSecret(text),
      'api-key': (text) => people.apiKey(text),
      'session-cookie': (text) => people.sessionCookie(text),
      none: () => Promise.resolve(undefined),
    };
  }

  /** @param text of this kind @throws DomainError `store-unavailable` */
  find(text: string, kind: LeakKind): Promise<FoundLeak | undefined> {
    return bounded(this.finders[kind](text));
  }
}
