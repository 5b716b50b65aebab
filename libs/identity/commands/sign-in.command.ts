import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { PasswordSignIn } from '../password-sign-in.ts';
import { SessionStarter } from '../session-starter.ts';
import type { Browser } from '../session-starter.ts';

/** A local person signs in to get a session. The password is in clear here, and nowhere after the handler. */
export class SignInCommand extends Command<string | undefined> {
  constructor(
    readonly username: string,
    readonly password: string,
    readonly browser: Browser & { readonly ip: string },
  ) {
    super();
  }
}

/** Answers the value of the session's cookie; undefined when name or password is wrong. */
@CommandHandler(SignInCommand)
export class SignInHandler implements ICommandHandler<SignInCommand> {
  constructor(
    private readonly passwordSignIn: PasswordSignIn,
    private readonly sessionStarter: SessionStarter,
  ) {}

  async execute({ username, password, browser }: SignInCommand): Promise<string | undefined> {
    const user = await this.passwordSignIn.signIn(username, password, browser.ip);
    if (user === undefined) return undefined;
    // what was right a moment ago must still be: a change meanwhile ends sessions, and would not find this one
    return this.sessionStarter.start(user.id, 'password', browser, (now) => {
      return now.status === 'active' && now.passwordHash === user.passwordHash;
    });
  }
}
