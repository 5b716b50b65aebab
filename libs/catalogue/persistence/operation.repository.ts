import { Injectable } from '@nestjs/common';
import type { ClientSession, Model } from 'mongoose';
import { DomainError, literalPattern, nameKey } from '#kernel';
import { MongoStore, TransactionConflict, isDuplicateKey } from '#mongo';
import { Operation } from '../domain/operation.ts';
import type { OperationState } from '../domain/operation.ts';
import { operationSchema, toDocument, toState } from './operation.schema.ts';
import type { OperationDocument } from './operation.schema.ts';

/** The filters of a list of operations. `ids` undefined means all. */
export interface OperationFilter {
  readonly ids?: readonly string[] | undefined;
  readonly name?: string | undefined;
}

@Injectable()
export class OperationRepository {
  private readonly model: Model<OperationDocument>;

  constructor(store: MongoStore) {
    this.model = store.model('operations', operationSchema);
  }

  /** @throws DomainError `not-found` */
  async load(id: string, session: ClientSession | null = null): Promise<Operation> {
    const document = await this.model.findById(id, null, { session }).lean();
    if (document === null) throw DomainError.notFound('operation');
    return new Operation(toState(document));
  }

  /** The operations of these ids that exist. */
  async findAll(ids: readonly string[], session: ClientSession | null = null): Promise<OperationState[]> {
    return (await this.model.find({ _id: { $in: [...ids] } }, null, { session }).lean()).map(toState);
  }

  /** Operations by id, from this id on. @param ids undefined for all */
  async from(firstId: string, ids: readonly string[] | undefined, limit: number): Promise<OperationState[]> {
    const within = ids === undefined ? {} : { $in: [...ids] };
    const found = this.model.find({ _id: { $gte: firstId, ...within } }).sort({ _id: 1 });
    return (await found.limit(limit).lean()).map(toState);
  }

  /** @throws DomainError `name-taken` */
  async insert(operation: Operation, session: ClientSession): Promise<void> {
    await this.guardName(this.model.create([toDocument(operation.state)], { session }));
  }

  /** @throws DomainError `name-taken`; TransactionConflict if it was changed since it was loaded */
  async save(operation: Operation, session: ClientSession): Promise<void> {
    const { _id, credentialCount: _counted, ...set } = toDocument(operation.state);
    const filter = { _id, version: operation.state.version - 1 };
    const { matchedCount } = await this.guardName(this.model.updateOne(filter, { $set: set }, { session }));
    if (matchedCount !== 1) throw new TransactionConflict();
  }

  /** @throws DomainError `operation-not-empty` */
  async delete(operation: Operation, session: ClientSession): Promise<void> {
    const { id, version } = operation.state;
    const { deletedCount } = await this.model.deleteOne({ _id: id, version, credentialCount: 0 }, { session });
    if (deletedCount === 1) return;
    const { state } = await this.load(id, session);
    if (state.credentialCount === 0) throw new TransactionConflict();
    throw new DomainError('operation-not-empty', 'Delete its credentials first.');
  }

  /**
   * Adds a credential to the count (1) or removes it (-1). The write makes a simultaneous deletion of the operation and
   * creation of a credential conflict.
   *
   * @throws DomainError `not-found` if the operation was deleted
   */
  async countCredential(id: string, change: 1 | -1, session: ClientSession): Promise<void> {
    const { matchedCount } = await this.model.updateOne(
      { _id: id },
      { $inc: { credentialCount: change } },
      { session },
    );
    if (matchedCount !== 1) throw DomainError.notFound('operation');
  }

  /** A page of operations by id. @param after id of the last item of the previous page */
  async list(filter: OperationFilter, after: string | undefined, limit: number): Promise<OperationState[]> {
    const documents = await this.model
      .find({
        ...(filter.name === undefined ? {} : { nameKey: { $regex: literalPattern(nameKey(filter.name)) } }),
        ...(filter.ids === undefined ? {} : { _id: { $in: filter.ids } }),
        ...(after === undefined ? {} : { $and: [{ _id: { $gt: after } }] }),
      })
      .sort({ _id: 1 })
      .limit(limit)
      .lean();
    return documents.map(toState);
  }

  private async guardName<T>(write: Promise<T> | { exec(): Promise<T> }): Promise<T> {
    try {
      return await ('exec' in write ? write.exec() : write);
    } catch (error) {
      if (!isDuplicateKey(error, 'operation_name')) throw error;
      throw new DomainError('name-taken', 'Another operation has this name. Names are case-insensitive.', {
        errors: [{ pointer: '/name', code: 'name-taken', message: 'Choose another name.' }],
      });
    }
  }
}
