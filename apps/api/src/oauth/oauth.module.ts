import { Module } from '@nestjs/common';
import { AccessModule } from '#access';
import { GuessLimitsModule } from '#guess-limits';
import { UsageModule } from '#usage';
import { ClientSignIn } from './client-sign-in.ts';
import { ForwardAuthController } from './forward-auth.controller.ts';
import { HeaderSignIn } from './header-sign-in.ts';
import { IntrospectionAnswers } from './introspection-answers.ts';
import { IntrospectionController } from './introspection.controller.ts';
import { MetadataController } from './metadata.controller.ts';
import { OwnTokensController } from './own-tokens.controller.ts';
import { RevocationController } from './revocation.controller.ts';
import { TokenUses } from './token-uses.ts';
import { TokenController } from './token.controller.ts';

/** The controllers with routes on the hot path. */
export const DIRECT_CONTROLLERS = [ForwardAuthController, IntrospectionController, TokenController];

@Module({
  imports: [AccessModule, GuessLimitsModule, UsageModule],
  controllers: [
    ForwardAuthController,
    IntrospectionController,
    MetadataController,
    OwnTokensController,
    RevocationController,
    TokenController,
  ],
  providers: [ClientSignIn, HeaderSignIn, IntrospectionAnswers, TokenUses],
})
export class OauthModule {}
