import { BSON } from 'bson';
import type { Document } from 'bson';
import type { Privilege } from './users-script.ts';
import { isUpsert } from '../command.ts';
import type { Command } from '../command.ts';

/** Commands that need no privilege: about the connection, a user's own sessions and cursors, and signing in. */
const FREE = new Set([
  ...['hello', 'ismaster', 'isMaster', 'ping', 'buildInfo', 'buildinfo', 'connectionStatus', 'whatsmyuri'],
  ...['saslStart', 'saslContinue', 'logout'],
]);
/** The same, but only for a user who has signed in. */
const OWN = new Set([
  ...['startSession', 'refreshSessions', 'endSessions', 'killSessions', 'commitTransaction', 'abortTransaction'],
  ...['getMore', 'killCursors'],
]);

/** The actions that a command on a collection needs, by MongoDB's manual. */
const ACTIONS: Readonly<Record<string, (command: Command) => readonly string[]>> = {
  find: () => ['find'],
  count: () => ['find'],
  distinct: () => ['find'],
  insert: () => ['insert'],
  update: (command) => (isUpsert(command) ? ['update', 'insert'] : ['update']),
  delete: () => ['remove'],
  findAndModify: (command) => {
    const { remove, upsert } = BSON.deserialize(command.body);
    return ['find', remove === true ? 'remove' : 'update', ...(upsert === true ? ['insert'] : [])];
  },
  create: () => ['createCollection'],
  createIndexes: () => ['createIndex'],
  listIndexes: () => ['listIndexes'],
  dropIndexes: () => ['dropIndex'],
  drop: () => ['dropCollection'],
  collMod: () => ['collMod'],
  collStats: () => ['collStats'],
};

/** What a command needs: actions on collections of its database. Null for a command of the administrator's. */
export type Needs = readonly { readonly collection: string; readonly actions: readonly string[] }[];

/** Whether a command may run on a connection that has not signed in. */
export function isFree(command: Command): boolean {
  return FREE.has(command.name);
}

export function needsOf(command: Command): Needs | null {
  if (FREE.has(command.name) || OWN.has(command.name)) return [];
  if (command.name === 'listCollections') return [{ collection: '', actions: ['listCollections'] }];
  // explaining a read needs what the read needs
  if (command.name === 'explain') return explainNeeds(command.target as Document);
  const collection = String(command.target);
  if (command.name === 'aggregate') return pipelineNeeds(collection, BSON.deserialize(command.body));
  const actions = ACTIONS[command.name];
  return actions === undefined ? null : [{ collection, actions: actions(command) }];
}

/** Whether the privileges allow all of it. */
export function allows(privileges: readonly Privilege[], db: string, needs: Needs): boolean {
  return needs.every(({ collection, actions }) =>
    actions.every((action) =>
      privileges.some(
        ({ resource, actions: granted }) =>
          resource.db === db &&
          (resource.collection === '' || resource.collection === collection) &&
          granted.includes(action),
      ),
    ),
  );
}

function explainNeeds(explained: Document): Needs | null {
  const [name, collection] = Object.entries(explained)[0] ?? [];
  return name === 'find' ? [{ collection: String(collection), actions: ['find'] }] : null;
}

function pipelineNeeds(collection: string, { pipeline }: Document): Needs | null {
  const needs = [{ collection, actions: ['find'] }];
  for (const stage of pipeline as Document[]) {
    if ('$out' in stage || '$merge' in stage) return null;
    const foreign = (stage['$lookup'] ?? stage['$graphLookup']) as Document | undefined;
    if (typeof foreign?.['from'] === 'string') needs.push({ collection: foreign['from'], actions: ['find'] });
    const union = stage['$unionWith'] as string | Document | undefined;
    if (union !== undefined) {
      needs.push({ collection: typeof union === 'string' ? union : String(union['coll']), actions: ['find'] });
    }
  }
  return needs;
}
