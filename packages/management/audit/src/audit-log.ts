import { nameOf } from '@vic/authz';
import type { AuditedOperation } from '@vic/rest';
import { type Database, type ListMapping, type ListPage, type ListRequest, fetchPage } from '@vic/sql';
import { type AuditRecord, type NewAuditRecord, toRecord, toRow } from './audit-record.ts';

/** What the audit log asks of the settings. */
export interface AuditSettings {
  /** Such as `create_user`, by commas. */
  readonly disabled_audit_log_event_types: string;
  readonly pull_audit_log_disable: boolean;
  /** Empty when records are not forwarded. */
  readonly audit_log_forward_endpoint: string;
  readonly skip_audit_log_database: boolean;
}

const FIELDS: ListMapping = {
  columns: {
    id: { column: 'id', type: 'number' },
    username: { column: 'operator', type: 'text' },
    operation: { column: 'operation', type: 'text' },
    resource: { column: 'resource', type: 'text' },
    resource_type: { column: 'resource_type', type: 'text' },
    project_id: { column: 'project_id', type: 'number' },
    operation_result: { column: 'succeeded', type: 'flag' },
    client_address: { column: 'address', type: 'text' },
    op_time: { column: 'occurred_at', type: 'time' },
    creation_time: { column: 'occurred_at', type: 'time' },
  },
  defaultSort: ['-op_time', '-id'],
};

/** By what the log is searched and sorted. */
export const AUDIT_FIELDS: readonly string[] = Object.keys(FIELDS.columns);

const INSERT_BATCH = 200;

/** Who did what. Its records are chained by {@link AuditWorker} and outlive what they are about. */
export class AuditLog {
  readonly #database: Database;
  readonly #settings: () => Promise<AuditSettings>;

  constructor(deps: { readonly database: Database; settings(): Promise<AuditSettings> }) {
    this.#database = deps.database;
    this.#settings = async () => deps.settings();
  }

  /** Records an operation of the REST API, unless an event of the outbox tells of it. */
  async record(operation: AuditedOperation): Promise<void> {
    if (operation.succeeded && isToldByEvent(operation)) return;
    await this.write([
      {
        atMs: Date.now(),
        operator: nameOf(operation.principal),
        operation: operation.operation,
        resourceType: operation.resourceType,
        resource: operation.resource,
        ...(operation.project === undefined ? {} : { project: operation.project }),
        succeeded: operation.succeeded,
        description: `${operation.method} ${operation.path}`,
        address: operation.address,
      },
    ]);
  }

  /** Writes records, except those whose type is switched off; one event's record is written once. */
  async write(records: readonly NewAuditRecord[]): Promise<void> {
    const settings = await this.#settings();
    const disabled = new Set(settings.disabled_audit_log_event_types.split(',').map((type) => type.trim()));
    if (settings.pull_audit_log_disable) disabled.add('pull_artifact');
    const rows = records.filter((record) => !disabled.has(eventTypeOf(record))).map(toRow);
    for (let start = 0; start < rows.length; start += INSERT_BATCH) {
      await this.#database.db
        .insertInto('audit_record')
        .values(rows.slice(start, start + INSERT_BATCH))
        .onConflict((conflict) => conflict.column('event_position').doNothing())
        .execute();
    }
  }

  /** Records, the latest first; only of some projects when they are named. */
  async search(request: ListRequest, projectIds?: readonly number[]): Promise<ListPage<AuditRecord>> {
    if (projectIds?.length === 0) return { items: [], total: 0 };
    let query = this.#database.db.selectFrom('audit_record').selectAll();
    if (projectIds !== undefined) query = query.where('project_id', 'in', projectIds);
    const page = await fetchPage(this.#database.db, query, request, FIELDS);
    return { items: page.items.map(toRecord), total: page.total };
  }
}

/** The type of a record, as settings and purges name it. */
export function eventTypeOf(record: { readonly operation: string; readonly resourceType: string }): string {
  return `${record.operation}_${record.resourceType}`.toLowerCase();
}

/** What changes artifacts also happens without the REST API, so that their record is made from the event. */
function isToldByEvent({ operation, resourceType }: AuditedOperation): boolean {
  if (resourceType === 'artifact') return operation === 'create' || operation === 'delete';
  return resourceType === 'tag' && operation === 'delete';
}
