import type { Database } from '@vic/sql';
import type { SyslogMessage } from '@vic/syslog';
import { type AuditRecord, toRecord } from './audit-record.ts';
import { eventTypeOf } from './audit-log.ts';

const BATCH = 200;
/** A process that is killed leaves forwarding to others after this. */
const LEASE_MS = 60_000;

/** How the records not sent yet get to a syslog server. */
export interface ForwardDeps {
  readonly database: Database;
  /** Tells processes apart. */
  readonly owner: string;
  /** Throws when the server did not take them. */
  readonly send: (messages: readonly SyslogMessage[]) => Promise<void>;
}

/** Sends the next records, in the order of the chain, and remembers how far it got; says how many. */
export async function forwardRecords({ database, owner, send }: ForwardDeps): Promise<number> {
  const { db } = database;
  const now = Date.now();
  const chain = await db
    .updateTable('audit_chain')
    .set({ lease_owner: owner, lease_until: now + LEASE_MS })
    .where('id', '=', 1)
    .whereRef('forwarded_position', '<', 'last_position')
    .where((column) =>
      column.or([
        column('lease_owner', 'is', null),
        column('lease_owner', '=', owner),
        column('lease_until', '<', now),
      ]),
    )
    .returning(['forwarded_position', 'last_position'])
    .executeTakeFirst();
  if (chain === undefined) return 0;
  const rows = await db
    .selectFrom('audit_record')
    .selectAll()
    .where('position', '>', chain.forwarded_position)
    .orderBy('position')
    .limit(BATCH)
    .execute();
  if (rows.length > 0) await send(rows.map((row) => toMessage(toRecord(row))));
  // Where there are none, those up to the end that the chain had before they were looked for were purged.
  await db
    .updateTable('audit_chain')
    .set({ forwarded_position: rows.at(-1)?.position ?? chain.last_position })
    .where('id', '=', 1)
    .where('lease_owner', '=', owner)
    .execute();
  return rows.length;
}

/** The place of the last record in the chain. */
export async function lastPosition({ db }: Pick<Database, 'db'>): Promise<number> {
  const chain = await db.selectFrom('audit_chain').select('last_position').executeTakeFirstOrThrow();
  return chain.last_position;
}

/** Records of the time before a server was named, those up to a place, are not sent to it. */
export async function skipForwarding({ db }: Pick<Database, 'db'>, upToPosition: number): Promise<void> {
  const behind = await db
    .selectFrom('audit_chain')
    .select('id')
    .where('forwarded_position', '<', upToPosition)
    .executeTakeFirst();
  if (behind === undefined) return;
  await db
    .updateTable('audit_chain')
    .set({ forwarded_position: upToPosition })
    .where('id', '=', 1)
    .where('forwarded_position', '<', upToPosition)
    .execute();
}

function toMessage(record: AuditRecord): SyslogMessage {
  const { operator, operation, resourceType, resource, address = '' } = record;
  const outcome = record.succeeded ? 'succeeded' : 'failed';
  return {
    atMs: record.atMs,
    severity: record.succeeded ? 'info' : 'warning',
    id: eventTypeOf(record),
    data: {
      operator,
      operation,
      resourceType,
      resource,
      project: record.project?.name ?? '',
      result: outcome,
      address,
      position: String(record.position ?? ''),
      hash: record.hash ?? '',
    },
    text: `${operator} ${operation} ${resourceType} ${resource}: ${outcome}`,
  };
}
