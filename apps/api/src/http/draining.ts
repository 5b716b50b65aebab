import { Injectable } from '@nestjs/common';

/** Whether the instance is on its way out: it still serves, but asks its clients to go elsewhere. */
@Injectable()
export class Draining {
  private on = false;

  get active(): boolean {
    return this.on;
  }

  begin(): void {
    this.on = true;
  }
}
