import { Injectable } from '@nestjs/common';
import { TokenVerifier } from '#access';
import type { GoodToken } from '#access';
import { UsageRecorder } from '#usage';

/** Counts what became of tokens at introspection and forward-auth. */
@Injectable()
export class TokenUses {
  constructor(
    private readonly usage: UsageRecorder,
    private readonly verifier: TokenVerifier,
  ) {}

  /** @param address the canonical address of the token's user; undefined if it was not sent */
  used({ credential }: GoodToken, apis: readonly string[], address: string | undefined): void {
    this.usage.used(credential.id, apis, address);
  }

  /** @param good undefined if the token was not good; then it counts if its credential is known to be blocked */
  refused(text: string, good: GoodToken | undefined, reason: 'address' | 'scope'): void {
    if (good !== undefined) {
      this.usage.refused(good.credential.id, reason);
      return;
    }
    const block = this.verifier.blockOf(text);
    if (block !== undefined) this.usage.refused(block.credentialId, block.reason);
  }
}
