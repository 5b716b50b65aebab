import { BSON } from 'bson';
import type { Command, Reply } from '../command.ts';
import type { Connection } from '../connection.ts';
import { MongoError } from '../errors.ts';
import { allows, isFree, needsOf } from './privileges.ts';
import { ScramConversation, scramVerifier } from './scram.ts';
import type { ScramVerifier } from './scram.ts';
import { usersOfScript } from './users-script.ts';
import type { Passwords, Privilege } from './users-script.ts';

const ROOT = { db: 'admin', user: 'root', passwordName: 'mongodb-root-password' } as const;

/** Who may sign in to a database, and what each may do there. `all` is the administrator. */
interface Account {
  readonly verifier: ScramVerifier;
  readonly privileges: readonly Privilege[] | 'all';
}

/**
 * Users as MongoDB has them: those of a script in every database, and the administrator. Without it the gateway is a
 * mongod without access control.
 */
export class AccessControl {
  readonly #script: string;
  readonly #passwords: Passwords;
  readonly #accounts = new Map<string, ReadonlyMap<string, Account>>();
  readonly #conversations = new WeakMap<Connection, { scram: ScramConversation; account: Account }>();
  readonly #signedIn = new WeakMap<Connection, Account>();

  /** @param script the path of a script for mongosh that makes the users */
  constructor(script: string, passwords: Passwords) {
    this.#script = script;
    this.#passwords = passwords;
  }

  /** `saslStart` */
  start(command: Command): Reply {
    const { mechanism, payload } = BSON.deserialize(command.body) as { mechanism?: string; payload?: BSON.Binary };
    if (mechanism !== 'SCRAM-SHA-256' || payload === undefined) throw failed();
    const accounts = this.#accountsOf(command.db);
    let account: Account | undefined;
    const scram = new ScramConversation(textOf(payload), (userName) => {
      account = accounts.get(userName);
      if (account === undefined) throw failed();
      return account.verifier;
    });
    if (account === undefined) throw failed();
    this.#conversations.set(command.connection, { scram, account });
    return { conversationId: 1, done: false, payload: new BSON.Binary(Buffer.from(scram.serverFirst)), ok: 1 };
  }

  /** `saslContinue` */
  finish(command: Command): Reply {
    const { payload } = BSON.deserialize(command.body) as { payload?: BSON.Binary };
    const conversation = this.#conversations.get(command.connection);
    this.#conversations.delete(command.connection);
    const last = payload === undefined ? null : (conversation?.scram.finish(textOf(payload)) ?? null);
    if (conversation === undefined || last === null) throw failed();
    this.#signedIn.set(command.connection, conversation.account);
    return { conversationId: 1, done: true, payload: new BSON.Binary(Buffer.from(last)), ok: 1 };
  }

  /** @throws MongoError Unauthorized unless the connection's user may run the command */
  check(command: Command): void {
    if (isFree(command)) return;
    const account = this.#signedIn.get(command.connection);
    if (account === undefined) throw unauthorized(`Command ${command.name} requires authentication`);
    if (account.privileges === 'all') return;
    const needs = needsOf(command);
    if (needs !== null && allows(account.privileges, command.db, needs)) return;
    const what = needs?.map(({ collection, actions }) => `${actions.join(', ')} on ${command.db}.${collection}`);
    throw unauthorized(
      `not authorized on ${command.db} to execute command { ${command.name}: "${String(command.target)}" }` +
        (what === undefined ? '' : ` (it needs ${what.join(', ')})`),
    );
  }

  #accountsOf(db: string): ReadonlyMap<string, Account> {
    const known = this.#accounts.get(db);
    if (known !== undefined) return known;
    const accounts = new Map<string, Account>();
    if (db === ROOT.db) {
      const verifier = scramVerifier(this.#passwords[ROOT.passwordName] ?? '');
      accounts.set(ROOT.user, { verifier, privileges: 'all' });
    } else {
      const { roles, users } = usersOfScript(this.#script, db, this.#passwords);
      for (const { user, pwd, roles: granted } of users) {
        const privileges = roles.filter(({ role }) => granted.includes(role)).flatMap((role) => role.privileges);
        accounts.set(user, { verifier: scramVerifier(pwd), privileges });
      }
    }
    this.#accounts.set(db, accounts);
    return accounts;
  }
}

function textOf(payload: BSON.Binary): string {
  return Buffer.from(payload.buffer).toString('utf8');
}

function failed(): MongoError {
  return new MongoError(18, 'AuthenticationFailed', 'Authentication failed.');
}

function unauthorized(message: string): MongoError {
  return new MongoError(13, 'Unauthorized', message);
}
