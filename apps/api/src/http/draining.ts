import { Injectable } from '@nestjs/common';

/** Whether the instance is on its way out. Whatever reaches it is still served. */
@Injectable()
export class Draining {
  private phase: 'no' | 'begun' | 'leaving' = 'no';

  /** Whether it is to end soon: `/readyz` says so. */
  get begun(): boolean {
    return this.phase !== 'no';
  }

  /** Whether its clients are to close their connections: each answer says so. */
  get active(): boolean {
    return this.phase === 'leaving';
  }

  begin(): void {
    if (this.phase === 'no') this.phase = 'begun';
  }

  leave(): void {
    this.phase = 'leaving';
  }
}
