import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { PasswordSignIn } from '../password-sign-in.ts';
import { SessionStarter } from '../session-starter.ts';
import type { Browser } from '../session-starter.ts';

/** Starts a session of a local person. The password is plain text here, and nowhere after the handler. */
export class SignInCommand extends Command<string | undefined> {
  constructor(
    readonly username: string,
    readonly password: string,
    readonly browser: Browser & { readonly ip: string },
  ) {
    super();
  }
}

/** Returns the value of the session's cookie; undefined if name or password is wrong. */
@CommandHandler(SignInCommand)
export class SignInHandler implements ICommandHandler<SignInCommand> {
  constructor(
    private readonly passwordSignIn: PasswordSignIn,
    private readonly sessionStarter: SessionStarter,
  ) {}

  async execute({ username, password, browser }: SignInCommand): Promise<string | undefined> {
    const user = await this.passwordSignIn.signIn(username, password, browser.ip);
    if (user === undefined) return undefined;
    // checked again: a change since then has ended all sessions, but would not find this one
    return this.sessionStarter.start(user.id, 'password', browser, (now) => {
      return now.status === 'active' && now.passwordHash === user.passwordHash;
    });
  }
}
