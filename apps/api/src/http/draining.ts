import { Injectable } from '@nestjs/common';

/** Whether the instance is shutting down. Requests that arrive meanwhile are still served. */
@Injectable()
export class Draining {
  private begun = false;

  /** Whether shutdown has begun. `/readyz` then reports `unavailable`. */
  get hasBegun(): boolean {
    return this.begun;
  }

  begin(): void {
    this.begun = true;
  }
}
