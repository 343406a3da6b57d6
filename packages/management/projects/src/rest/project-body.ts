import type { CveAllowlist, CveAllowlistContent } from '../cve-allowlists.ts';
import type { ProjectMetadata } from '../project.ts';
import { type Static, Type } from '@vic/http';

const METADATA = Type.Record(
  Type.String({ maxLength: 100 }),
  Type.Union([Type.String({ maxLength: 4096 }), Type.Null()]),
);

const ALLOWLIST = Type.Object({
  id: Type.Optional(Type.Integer()),
  project_id: Type.Optional(Type.Integer()),
  expires_at: Type.Optional(Type.Union([Type.Integer({ minimum: 0 }), Type.Null()])),
  items: Type.Optional(
    Type.Union([Type.Array(Type.Object({ cve_id: Type.String() }), { maxItems: 10_000 }), Type.Null()]),
  ),
});

/** The body of POST and PUT of a project. */
export const PROJECT_REQUEST = Type.Object({
  project_name: Type.Optional(Type.String()),
  public: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  metadata: Type.Optional(Type.Union([METADATA, Type.Null()])),
  cve_allowlist: Type.Optional(Type.Union([ALLOWLIST, Type.Null()])),
  storage_limit: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  registry_id: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
});

/** A parsed {@link PROJECT_REQUEST}. */
export type ProjectRequest = Static<typeof PROJECT_REQUEST>;

/** The body of PUT of an allowlist. */
export const ALLOWLIST_REQUEST = ALLOWLIST;

/** A parsed {@link ALLOWLIST_REQUEST}. */
export type AllowlistRequest = Static<typeof ALLOWLIST>;

/** The metadata of a request; `public` may stand outside of it, as old replications send it. */
export function metadataOf(request: ProjectRequest): ProjectMetadata {
  const given = Object.entries(request.metadata ?? {}).filter(
    (entry): entry is [string, string] => entry[1] !== null && !(entry[0] === 'retention_id' && entry[1] === ''),
  );
  const visibility = request.public === undefined || request.public === null ? {} : { public: String(request.public) };
  return { ...visibility, ...Object.fromEntries(given) };
}

/** What an allowlist's request asks for. */
export function allowlistContentOf(request: AllowlistRequest): CveAllowlistContent {
  return {
    cveIds: (request.items ?? []).map((item) => item.cve_id),
    expiresAtS: request.expires_at ?? undefined,
  };
}

/** An allowlist as the API shows it. */
export function allowlistBody(allowlist: CveAllowlist): object {
  return {
    id: allowlist.id,
    project_id: allowlist.projectId,
    items: allowlist.cveIds.map((id) => ({ cve_id: id })),
    ...(allowlist.expiresAtS === undefined ? {} : { expires_at: allowlist.expiresAtS }),
    creation_time: new Date(allowlist.createdAtMs).toISOString(),
    update_time: new Date(allowlist.updatedAtMs).toISOString(),
  };
}
