import mongoose from 'mongoose';
import { Fence } from '../fence.ts';
import { FenceSource } from '../fence-source.ts';
import type { RightsReading } from '../fence-source.ts';
import type { ClusterTime } from '../fenced-state.ts';

/** The cluster time with this number of seconds. */
export function clusterTime(seconds: number): ClusterTime {
  return new mongoose.mongo.Timestamp({ t: seconds, i: 0 });
}

/** A store that confirms each fence immediately. */
class ConfirmingSource extends FenceSource {
  private seconds = 0;

  override prove(): Promise<ClusterTime> {
    this.seconds += 1;
    return Promise.resolve(clusterTime(this.seconds));
  }

  override versions(after: ClusterTime): Promise<RightsReading> {
    return Promise.resolve({ versions: new Map(), readAt: after });
  }
}

const SILENT = { debug: () => undefined, error: () => undefined };

/** A fence over the given source; by default one that confirms every fence. */
export function aFence(leaseMs = 250, source: FenceSource = new ConfirmingSource()): Fence {
  return new Fence(source, { leaseMs, rightsVersion: true }, SILENT);
}
