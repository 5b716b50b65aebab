import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { CredentialReader, CredentialRepository } from '#credentials';
import { PastRecords } from '#history';
import type { DecidedPart } from '#history';
import { Clock, DomainError } from '#kernel';
import { bounded } from '#mongo';
import { TOKEN_LIMIT, TokenRepository } from '#tokens';
import { simulate } from '../domain/simulation.ts';
import type { JudgedRule, SimulatedRequest, Situation, Verdict } from '../domain/simulation.ts';

/** An event that decided a check. */
export interface DecidingEvent {
  readonly rule: JudgedRule;
  readonly id: string;
  readonly seq: number;
  readonly hash: string;
  readonly type: string;
  readonly at: string;
}

export interface SimulationView extends Verdict {
  /** The moment that was judged. */
  readonly at: string;
  /** For a past moment only: now, the store decides. */
  readonly events: readonly DecidingEvent[] | null;
}

/**
 * Judges a token request as the next real one would be, or as one at a past moment would have been.
 *
 * @throws DomainError `not-found`, `before-retention`, `validation` for a moment in the future
 */
export class SimulateQuery extends Query<SimulationView> {
  constructor(
    readonly operationId: string,
    readonly credentialId: string,
    readonly request: SimulatedRequest,
    /** undefined for now */
    readonly at: Date | undefined,
  ) {
    super();
  }
}

const partOfRule: Readonly<Record<JudgedRule, DecidedPart>> = {
  exists: 'existence',
  secret: 'secrets',
  status: 'status',
  expiry: 'expiry',
  address: 'addresses',
  api: 'apis',
  'token-limit': 'tokens',
};

@QueryHandler(SimulateQuery)
export class SimulateHandler implements IQueryHandler<SimulateQuery> {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly reader: CredentialReader,
    private readonly tokens: TokenRepository,
    private readonly past: PastRecords,
    private readonly clock: Clock,
  ) {}

  async execute({ operationId, credentialId, request, at }: SimulateQuery): Promise<SimulationView> {
    const now = this.clock.now();
    if (at === undefined) {
      const verdict = simulate(await this.present(operationId, credentialId, now), request);
      return { ...verdict, at: now.toISOString(), events: null };
    }
    if (at > now) {
      throw DomainError.invalid('/at', 'in-the-future', 'Give a moment in the past, or leave it out for now.');
    }
    const { record, liveTokens, decidedBy } = await this.past.at(operationId, credentialId, at);
    const slots = liveTokens.map((token, slot) => ({ ...token, _id: token.id, slot }));
    const verdict = simulate({ credential: record, liveTokens: slots, tokenLimit: TOKEN_LIMIT, at }, request);
    const events = verdict.checks.flatMap(({ rule }) =>
      decidedBy[partOfRule[rule]].map(({ id, seq, hash, type, at: time }) => ({
        ...{ rule, id, seq, hash, type },
        at: time.toISOString(),
      })),
    );
    return { ...verdict, at: at.toISOString(), events };
  }

  /** Reads what a real request is judged by: the same record, by the store as it is now. */
  private async present(operationId: string, credentialId: string, at: Date): Promise<Situation> {
    const { state } = await bounded(this.credentials.load(operationId, credentialId));
    const credential = await this.reader.fresh(state.clientId);
    const liveTokens = await bounded(this.tokens.live(credentialId, at));
    return { credential, liveTokens, tokenLimit: TOKEN_LIMIT, at };
  }
}
