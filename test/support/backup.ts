import type { mongo } from 'mongoose';
import type { TestDatabase } from './database.ts';

/** A copy of everything that a service stores. The service must be idle during the copy. */
export class Backup {
  private constructor(
    private readonly database: TestDatabase,
    private readonly documents: ReadonlyMap<string, readonly mongo.Document[]>,
  ) {}

  static async take(database: TestDatabase): Promise<Backup> {
    const documents = new Map<string, mongo.Document[]>();
    for (const name of await database.collections()) {
      documents.set(name, await (await database.collection(name)).find().toArray());
    }
    return new Backup(database, documents);
  }

  /** Restores the database, or only some of its collections, as from a dump that saw them at different moments. */
  async restore(only?: readonly string[]): Promise<void> {
    for (const name of only ?? (await this.database.collections())) {
      const collection = await this.database.collection(name);
      await collection.deleteMany({});
      const documents = this.documents.get(name) ?? [];
      if (documents.length > 0) await collection.insertMany([...documents]);
    }
  }
}
