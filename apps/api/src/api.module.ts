import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AccessModule } from '#access';
import { ApiWithdrawalModule } from '#api-withdrawal';
import { AttentionModule } from '#attention';
import { AuditModule } from '#audit';
import { CatalogueModule } from '#catalogue';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { CredentialsModule } from '#credentials';
import { EventsModule } from '#events';
import { FeedModule } from '#feed';
import { FenceModule } from '#fence';
import { HistoryModule } from '#history';
import { IdentityModule } from '#identity';
import { LeaksModule } from '#leaks';
import { MongoModule } from '#mongo';
import { ObservabilityModule } from '#observability';
import { QueuesModule } from '#queues';
import { RecoveryModule, RestoreGuard } from '#recovery';
import { RetentionModule } from '#retention';
import { ReviewsModule } from '#reviews';
import { TokensModule } from '#tokens';
import { UsageModule } from '#usage';
import { MySessionsController } from './sessions/my-sessions.controller.ts';
import { SessionController } from './sessions/session.controller.ts';
import { MeController } from './users/me.controller.ts';
import { UsersController } from './users/users.controller.ts';
import { ResourceServerSecretsController } from './resource-servers/resource-server-secrets.controller.ts';
import { ResourceServersController } from './resource-servers/resource-servers.controller.ts';
import { ApiCredentialsController } from './apis/api-credentials.controller.ts';
import { ApisController } from './apis/apis.controller.ts';
import { AttentionController } from './attention/attention.controller.ts';
import { CredentialSearchController } from './credentials/credential-search.controller.ts';
import { CredentialsController } from './credentials/credentials.controller.ts';
import { CredentialApisController } from './credentials/credential-apis.controller.ts';
import { CredentialSecretsController } from './credentials/credential-secrets.controller.ts';
import { CredentialTokensController } from './credentials/credential-tokens.controller.ts';
import { CredentialUsageController } from './credentials/credential-usage.controller.ts';
import { DocsRedirectController } from './docs-redirect.controller.ts';
import { CheckpointKeysController } from './events/checkpoint-keys.controller.ts';
import { CheckpointsController } from './events/checkpoints.controller.ts';
import { OidcController } from './auth/oidc.controller.ts';
import { PageErrorFormat } from './auth/page-error-format.ts';
import { SignInController } from './auth/sign-in.controller.ts';
import { KeysController } from './keys/keys.controller.ts';
import { LeaksController } from './leaks/leaks.controller.ts';
import { FeedController } from './events/feed.controller.ts';
import { FeedFollowers } from './events/feed-followers.ts';
import { FeedCursors } from './events/feed-cursors.ts';
import { EventsController } from './events/events.controller.ts';
import { LongReads } from './events/long-reads.ts';
import { ReviewsController } from './reviews/reviews.controller.ts';
import { SimulateController } from './credentials/simulate.controller.ts';
import { HealthController } from './health/health.controller.ts';
import { StoreSigns } from './health/store-signs.ts';
import { Draining } from './http/draining.ts';
import { GLOBAL_GUARDS } from './http/global-guards.ts';
import { IdempotencyInterceptor } from './http/idempotency.interceptor.ts';
import { Pages } from './http/pages.ts';
import { ERROR_FORMATS } from './http/error-format.ts';
import type { ErrorFormat } from './http/error-format.ts';
import { PersonSignIn } from './http/person-sign-in.ts';
import { ProblemFilter } from './http/problem.filter.ts';
import { RouteTable } from './http/route-table.ts';
import { SessionCookie } from './http/session-cookie.ts';
import { StrictSchemaPipe } from './http/strict-schema.pipe.ts';
import { JobsController } from './jobs/jobs.controller.ts';
import { WorkerModule } from './worker/worker.module.ts';
import { OAuthErrorFormat } from './oauth/oauth-error-format.ts';
import { OauthModule } from './oauth/oauth.module.ts';
import { OperationApisController } from './operations/operation-apis.controller.ts';
import { OperationsController } from './operations/operations.controller.ts';

/** All controllers except the OAuth endpoints and health. */
const API_CONTROLLERS = [
  ApiCredentialsController,
  ApisController,
  AttentionController,
  CheckpointKeysController,
  CheckpointsController,
  CredentialApisController,
  CredentialSecretsController,
  CredentialTokensController,
  CredentialUsageController,
  CredentialSearchController,
  CredentialsController,
  DocsRedirectController,
  FeedController, // before EventsController, whose GET /v1/events/{eventId} would take its path
  EventsController,
  JobsController,
  KeysController,
  LeaksController,
  MeController,
  MySessionsController,
  OperationApisController,
  OidcController,
  OperationsController,
  ResourceServerSecretsController,
  ResourceServersController,
  ReviewsController,
  SessionController,
  SimulateController,
  SignInController,
  UsersController,
];

const FEATURE_MODULES = [
  IdentityModule,
  CatalogueModule,
  CredentialsModule,
  ApiWithdrawalModule,
  TokensModule,
  UsageModule,
  HistoryModule,
  FeedModule,
  ReviewsModule,
  AttentionModule,
  LeaksModule,
];
const FEED_PROVIDERS = [FeedCursors, FeedFollowers];

/** The whole service. This app has the transport; everything else is in libs. */
@Module({})
export class ApiModule {
  static for(config: Config, routes: RouteTable): DynamicModule {
    return {
      module: ApiModule,
      global: true,
      imports: [
        ObservabilityModule,
        MongoModule,
        FenceModule,
        EventsModule,
        AuditModule,
        RetentionModule,
        QueuesModule,
        ...FEATURE_MODULES,
        RecoveryModule,
        ...(config.role === 'worker' ? [] : [AccessModule, OauthModule]),
        WorkerModule.for(config.role),
      ],
      // a worker serves only its health
      controllers: config.role === 'worker' ? [HealthController] : [HealthController, ...API_CONTROLLERS],
      providers: [
        Draining,
        ...FEED_PROVIDERS,
        IdempotencyInterceptor,
        LongReads,
        Pages,
        PersonSignIn,
        SessionCookie,
        StoreSigns,
        RestoreGuard,
        { provide: CONFIG, useValue: config },
        { provide: RouteTable, useValue: routes },
        OAuthErrorFormat,
        PageErrorFormat,
        {
          provide: ERROR_FORMATS,
          useFactory: (...formats: ErrorFormat[]) => formats,
          inject: [OAuthErrorFormat, PageErrorFormat],
        },
        ProblemFilter,
        { provide: APP_FILTER, useExisting: ProblemFilter },
        ...GLOBAL_GUARDS,
        ...GLOBAL_GUARDS.map((guard) => ({ provide: APP_GUARD, useExisting: guard })),
        { provide: APP_PIPE, useClass: StrictSchemaPipe },
      ],
      exports: [CONFIG, Draining],
    };
  }
}
