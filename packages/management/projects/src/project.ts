import type { ProjectIdentity } from '@vic/authz';
import type { Schema, Selectable } from '@vic/sql';

/** The string-valued metadata of a project, `public` included. */
export type ProjectMetadata = Readonly<Record<string, string>>;

/** A project: the unit of membership, policy and visibility. */
export interface Project extends ProjectIdentity {
  readonly ownerId: number;
  /** The registry a proxy-cache project stands for. */
  readonly registryId: number | undefined;
  readonly metadata: ProjectMetadata;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What a project is made of. */
export interface NewProject {
  readonly name: string;
  /** Absent for a private project without settings. */
  readonly metadata?: ProjectMetadata;
  readonly registryId?: number;
  /** Bytes, −1 for no limit; the default of the installation when absent. */
  readonly storageLimitBytes?: number;
}

/** The project of a row. */
export function projectOfRow(row: Selectable<Schema['projects']>): Project {
  const isPublic = row.public === 1;
  return {
    id: row.id,
    name: row.name,
    public: isPublic,
    ownerId: row.owner_id,
    registryId: row.registry_id ?? undefined,
    metadata: { public: String(isPublic), ...(JSON.parse(row.metadata) as ProjectMetadata) },
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}
