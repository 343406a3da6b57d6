import type { Generated } from 'kysely';

/** A project: real deletion; rows that belong to one reference it with `on delete cascade`. */
export interface ProjectsTable {
  readonly id: Generated<number>;
  name: string;
  /** The user who made it; a robot's projects belong to the first administrator. */
  owner_id: number;
  /** The registry a proxy-cache project stands for; never changes. */
  readonly registry_id: number | null;
  /** 1 when everybody may read and pull; the metadata key `public` is this column. */
  public: number;
  /** JSON object of strings: the other metadata. */
  metadata: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** Who belongs to a project, as what. */
export interface ProjectMembersTable {
  readonly id: Generated<number>;
  readonly project_id: number;
  /** `u` a user, `g` a group. */
  readonly entity_type: 'u' | 'g';
  readonly entity_id: number;
  /** Harbor's numbers: 1 admin, 2 developer, 3 guest, 4 maintainer, 5 limited guest. */
  role_id: number;
  readonly created_at_ms: number;
}

/** CVEs that do not count, of a project or of the system. */
export interface CveAllowlistsTable {
  readonly id: Generated<number>;
  /** 0 for the system's. */
  readonly project_id: number;
  /** Seconds since 1970, as in the API; null means never. */
  expires_at_s: number | null;
  /** JSON array of CVE ids. */
  cve_ids: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** The tables of `projects`. */
export interface ProjectsTables {
  projects: ProjectsTable;
  project_members: ProjectMembersTable;
  cve_allowlists: CveAllowlistsTable;
}
