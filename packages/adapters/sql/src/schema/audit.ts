import type { Generated } from 'kysely';

/** The tables of `audit`. */
export interface AuditTables {
  audit_record: AuditRecordTable;
  audit_purged: AuditPurgedTable;
  audit_chain: AuditChainTable;
}

/** Who did what to what. No row refers to another table, so that a record survives what it is about. */
export interface AuditRecordTable {
  id: Generated<number>;
  /** The place in the chain, given soon after; `null` until then. */
  position: number | null;
  /** SHA-256 of the record, in hexadecimal digits. */
  digest: string;
  /** SHA-256 over the hash of the record before and this one's digest. */
  hash: string | null;
  occurred_at: number;
  operator: string;
  operation: string;
  resource_type: string;
  resource: string;
  project_id: number | null;
  project_name: string | null;
  succeeded: number;
  description: string;
  address: string;
  /** Of the event it was made from, so that none is recorded twice. */
  event_position: number | null;
}

/** What remains of purged records that others in the chain lie before. */
export interface AuditPurgedTable {
  position: number;
  digest: string;
}

/** One row: both ends of the chain, and how far it was forwarded. */
export interface AuditChainTable {
  id: number;
  last_position: number;
  last_hash: string;
  /** Everything up to here was purged. */
  first_position: number;
  first_hash: string;
  forwarded_position: number;
  lease_owner: string | null;
  lease_until: number;
}
