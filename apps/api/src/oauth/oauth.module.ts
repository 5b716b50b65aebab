import { Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { AccessModule } from '#access';
import { GuessLimitsModule } from '#guess-limits';
import { ClientBasicStrategy } from './client-basic.strategy.ts';
import { ClientSignIn } from './client-sign-in.ts';
import { ForwardAuthController } from './forward-auth.controller.ts';
import { IntrospectionController } from './introspection.controller.ts';
import { MetadataController } from './metadata.controller.ts';
import { OwnTokensController } from './own-tokens.controller.ts';
import { RevocationController } from './revocation.controller.ts';
import { TokenController } from './token.controller.ts';

@Module({
  imports: [AccessModule, GuessLimitsModule, PassportModule.register({ session: false })],
  controllers: [
    ForwardAuthController,
    IntrospectionController,
    MetadataController,
    OwnTokensController,
    RevocationController,
    TokenController,
  ],
  providers: [ClientBasicStrategy, ClientSignIn],
})
export class OauthModule {}
