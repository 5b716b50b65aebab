import type { Readable } from 'node:stream';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { PLATFORM_CHAIN, emptyHead, operationOf } from '#chain';
import type { ChainName } from '#chain';
import { DomainError } from '#kernel';
import type { Checkpoint, CheckpointJwk } from '../checkpoints/checkpoints.ts';
import { CheckpointKeys } from '../checkpoints/checkpoint-keys.ts';
import { CheckpointLog } from '../checkpoints/checkpoint-log.ts';
import { ChainProver } from '../reading/chain-proof.ts';
import type { ChainProof } from '../reading/chain-proof.ts';
import { ChainReader } from '../reading/chain-reader.ts';
import type { ChainExtent } from '../reading/chain-reader.ts';
import { readableText } from '../reading/readable-text.ts';

/** The result of a verification of the log. */
export interface LogProof {
  readonly whole: boolean;
  readonly chains: readonly ChainProof[];
}

/** Verifies chains. @throws DomainError `not-found` when the requested chain does not exist */
export class VerifyLogQuery extends Query<LogProof> {
  /**
   * @param chain the name of the requested chain; undefined for all
   * @param chains the chains that the caller may see; undefined for all
   */
  constructor(
    readonly chain?: ChainName,
    readonly chains?: readonly ChainName[],
  ) {
    super();
  }
}

@QueryHandler(VerifyLogQuery)
export class VerifyLogHandler implements IQueryHandler<VerifyLogQuery> {
  constructor(
    private readonly reader: ChainReader,
    private readonly checkpoints: CheckpointLog,
    private readonly prover: ChainProver,
  ) {}

  async execute({ chain, chains }: VerifyLogQuery): Promise<LogProof> {
    const extents = await this.extents(chain === undefined ? chains : [chain]);
    if (chain !== undefined && chain !== PLATFORM_CHAIN && extents.length === 0) {
      throw DomainError.notFound('operation');
    }
    const proofs: ChainProof[] = [];
    for (const extent of extents) proofs.push(await this.prover.prove(extent));
    const whole = proofs.every((proof) => proof.fault === null && proof.checkpointFaults.length === 0);
    return { whole, chains: proofs };
  }

  /** Chains with a head, and those of which only events or checkpoints are left. */
  private async extents(chains: readonly ChainName[] | undefined): Promise<ChainExtent[]> {
    const found = await this.reader.extents(chains);
    const known = new Set(found.map(({ chain }) => chain));
    const named = new Set([...(await this.checkpoints.chains()), ...(await this.reader.namesInEvents(chains))]);
    const lost = [...named].filter((chain) => !known.has(chain) && chains?.includes(chain) !== false);
    return [...found, ...lost.map(lostChain)];
  }
}

function lostChain(chain: ChainName): ChainExtent {
  const start = emptyHead(chain);
  return { chain, operationId: operationOf(chain), start, end: start, archive: null };
}

/** Checks that the requested chain exists. @throws DomainError `not-found` */
export class RequireChainQuery extends Query<undefined> {
  /** @param chain undefined for all */
  constructor(readonly chain: ChainName | undefined) {
    super();
  }
}

@QueryHandler(RequireChainQuery)
export class RequireChainHandler implements IQueryHandler<RequireChainQuery> {
  constructor(private readonly reader: ChainReader) {}

  async execute({ chain }: RequireChainQuery): Promise<undefined> {
    if (chain !== undefined && !(await this.reader.exists(chain))) throw DomainError.notFound('operation');
    return undefined;
  }
}

/** A page of checkpoints, newest first. @throws DomainError `not-found` when the requested chain does not exist */
export class ListCheckpointsQuery extends Query<Checkpoint[]> {
  /**
   * @param chain the name of the requested chain; undefined for all
   * @param chains the chains that the caller may see; undefined for all
   * @param after last id of the previous page
   */
  constructor(
    readonly chain: ChainName | undefined,
    readonly chains: readonly ChainName[] | undefined,
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListCheckpointsQuery)
export class ListCheckpointsHandler implements IQueryHandler<ListCheckpointsQuery> {
  constructor(
    private readonly reader: ChainReader,
    private readonly checkpoints: CheckpointLog,
  ) {}

  async execute({ chain, chains, after, limit }: ListCheckpointsQuery): Promise<Checkpoint[]> {
    if (chain === undefined) return this.checkpoints.list(chains, after, limit);
    if (!(await this.reader.exists(chain))) throw DomainError.notFound('operation');
    return this.checkpoints.list([chain], after, limit);
  }
}

/**
 * All checkpoints, the oldest first, as one JSON document: `{"items":[…]}`. The stream fails if it cannot be completed.
 *
 * @throws DomainError `not-found` when the requested chain does not exist
 */
export class ExportCheckpointsQuery extends Query<Readable> {
  /**
   * @param chain the name of the requested chain; undefined for all
   * @param chains the chains that the caller may see; undefined for all
   */
  constructor(
    readonly chain: ChainName | undefined,
    readonly chains: readonly ChainName[] | undefined,
  ) {
    super();
  }
}

@QueryHandler(ExportCheckpointsQuery)
export class ExportCheckpointsHandler implements IQueryHandler<ExportCheckpointsQuery> {
  constructor(
    private readonly reader: ChainReader,
    private readonly checkpoints: CheckpointLog,
  ) {}

  async execute({ chain, chains }: ExportCheckpointsQuery): Promise<Readable> {
    if (chain === undefined) return readableText(this.text(chains));
    if (!(await this.reader.exists(chain))) throw DomainError.notFound('operation');
    return readableText(this.text([chain]));
  }

  private async *text(chains: readonly ChainName[] | undefined): AsyncGenerator<string, void, undefined> {
    let before = '{"items":[';
    for await (const checkpoints of this.checkpoints.all(chains)) {
      yield before + checkpoints.map((checkpoint) => JSON.stringify(checkpoint)).join(',\n');
      before = ',\n';
    }
    yield before === ',\n' ? ']}\n' : `${before}]}\n`;
  }
}

/** The public keys of all checkpoints. @throws DomainError `store-unavailable` */
export class ListCheckpointKeysQuery extends Query<CheckpointJwk[]> {}

@QueryHandler(ListCheckpointKeysQuery)
export class ListCheckpointKeysHandler implements IQueryHandler<ListCheckpointKeysQuery> {
  constructor(private readonly keys: CheckpointKeys) {}

  async execute(): Promise<CheckpointJwk[]> {
    const known = await this.keys.published();
    if (known.some((key) => key.latchkey_retired_at === undefined)) return known;
    await this.keys.signer(); // the first start is still running
    return this.keys.published();
  }
}
