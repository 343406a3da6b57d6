import type { Generated } from 'kysely';

/** A rule that makes tags immutable. */
export interface ImmutableRulesTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  priority: number;
  disabled: number;
  /** JSON array of selectors. */
  tag_selectors: string;
  /** JSON object: `repository` to an array of selectors. */
  scope_selectors: string;
  /** Of both selectors; no two rules of a project are the same. */
  selectors_hash: string;
  readonly created_at_ms: number;
}

/** What a project keeps; at most one for a project. */
export interface RetentionPoliciesTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  /** JSON array of rules. */
  rules: string;
  /** Six fields; empty when it only runs by hand. */
  cron: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** How much a project may store. */
export interface QuotasTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  /** −1 for no limit. */
  storage_limit_bytes: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** Storage that pushes in flight will take; settled once the project has the content. */
export interface QuotaReservationsTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  readonly digest: string;
  readonly size_bytes: number;
  readonly expires_at_ms: number;
}

/** The tables of `policies`. */
export interface PoliciesTables {
  immutable_rules: ImmutableRulesTable;
  retention_policies: RetentionPoliciesTable;
  quotas: QuotasTable;
  quota_reservations: QuotaReservationsTable;
}
