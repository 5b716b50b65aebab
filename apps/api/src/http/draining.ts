import { Injectable } from '@nestjs/common';

/** The shutdown state of the instance. Requests that arrive in any state are still served. */
@Injectable()
export class Draining {
  private phase: 'no' | 'begun' | 'leaving' = 'no';

  /** Whether shutdown has begun. `/readyz` then reports `unavailable`. */
  get hasBegun(): boolean {
    return this.phase !== 'no';
  }

  /** Whether each answer asks its client to close the connection. */
  get closesConnections(): boolean {
    return this.phase === 'leaving';
  }

  begin(): void {
    if (this.phase === 'no') this.phase = 'begun';
  }

  leave(): void {
    this.phase = 'leaving';
  }
}
