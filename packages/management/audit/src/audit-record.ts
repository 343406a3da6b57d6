import { createHash } from 'node:crypto';
import type { Insertable, Schema, Selectable } from '@vic/sql';

/** Something that was done, or tried, by someone. */
export interface NewAuditRecord {
  readonly atMs: number;
  readonly operator: string;
  /** `create`, `pull`, `login` … */
  readonly operation: string;
  /** `artifact`, `user`, `project` … */
  readonly resourceType: string;
  readonly resource: string;
  readonly project?: { readonly id: number; readonly name: string };
  readonly succeeded: boolean;
  readonly description?: string;
  /** Of the client, where one is known. */
  readonly address?: string;
  /** Of the event it was made from. */
  readonly eventPosition?: number;
}

/** A record of the log. */
export interface AuditRecord extends Omit<NewAuditRecord, 'eventPosition'> {
  readonly id: number;
  /** Its place in the chain; absent for a moment after it was written. */
  readonly position: number | undefined;
  readonly hash: string | undefined;
}

/** Names are cut, so that nobody can fill the log with one request. */
const MAX_NAME_LENGTH = 512;
const MAX_DESCRIPTION_LENGTH = 2048;

/** The row of a record. */
export function toRow(record: NewAuditRecord): Insertable<Schema['audit_record']> {
  const content = {
    occurred_at: record.atMs,
    operator: record.operator.slice(0, MAX_NAME_LENGTH),
    operation: record.operation,
    resource_type: record.resourceType,
    resource: record.resource.slice(0, MAX_NAME_LENGTH),
    project_id: record.project?.id ?? null,
    project_name: record.project?.name ?? null,
    succeeded: record.succeeded ? 1 : 0,
    description: (record.description ?? '').slice(0, MAX_DESCRIPTION_LENGTH),
    address: (record.address ?? '').slice(0, MAX_NAME_LENGTH),
    event_position: record.eventPosition ?? null,
  };
  return { ...content, digest: digestOf(content) };
}

/** A record from its row. */
export function toRecord(row: Selectable<Schema['audit_record']>): AuditRecord {
  return {
    id: row.id,
    position: row.position ?? undefined,
    hash: row.hash ?? undefined,
    atMs: row.occurred_at,
    operator: row.operator,
    operation: row.operation,
    resourceType: row.resource_type,
    resource: row.resource,
    ...(row.project_id === null ? {} : { project: { id: row.project_id, name: row.project_name ?? '' } }),
    succeeded: row.succeeded === 1,
    description: row.description,
    address: row.address,
  };
}

type Content = Omit<Selectable<Schema['audit_record']>, 'id' | 'position' | 'digest' | 'hash'>;

/** The digest of what a record says. */
export function digestOf(row: Content): string {
  const content = [
    row.occurred_at,
    row.operator,
    row.operation,
    row.resource_type,
    row.resource,
    row.project_id,
    row.project_name,
    row.succeeded,
    row.description,
    row.address,
    row.event_position,
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** The hash of a place in the chain: over the one before, and what the record says. */
export function chainHash(position: number, before: string, digest: string): string {
  return createHash('sha256').update(`${position}:${before}:${digest}`).digest('hex');
}
