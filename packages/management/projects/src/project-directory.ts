import type { Principal } from '@vic/authz';
import { type Database, type ListMapping, type ListPage, type ListRequest, containsText, fetchPage } from '@vic/sql';
import type { AccountDirectory } from './project-services.ts';
import { type Project, projectOfRow } from './project.ts';
import { visibleTo } from './visible-projects.ts';

/** What a list of projects is narrowed to, besides `q`. */
export interface ProjectSearch {
  /** A part of the name. */
  readonly name?: string | undefined;
  readonly public?: boolean | undefined;
  /** The owner's name. */
  readonly owner?: string | undefined;
}

const MAPPING: ListMapping = {
  columns: {
    project_id: { column: 'projects.id', type: 'number' },
    name: { column: 'projects.name', type: 'text' },
    public: { column: 'projects.public', type: 'flag' },
    owner_id: { column: 'projects.owner_id', type: 'number' },
    registry_id: { column: 'projects.registry_id', type: 'number' },
    creation_time: { column: 'projects.created_at_ms', type: 'time' },
    update_time: { column: 'projects.updated_at_ms', type: 'time' },
  },
  defaultSort: ['name'],
};

/** What lists of projects can be filtered and sorted by. */
export const PROJECT_FIELDS = { filter: Object.keys(MAPPING.columns), sort: Object.keys(MAPPING.columns) };

/** Lists of projects, each with what its reader may see. */
export class ProjectDirectory {
  readonly #database: Database;
  readonly #accounts: Pick<AccountDirectory, 'findKnownUser'>;

  constructor(deps: { readonly database: Database; readonly accounts: Pick<AccountDirectory, 'findKnownUser'> }) {
    this.#database = deps.database;
    this.#accounts = deps.accounts;
  }

  /** One page of the projects that the viewer may see. */
  async list(viewer: Principal, request: ListRequest, search: ProjectSearch = {}): Promise<ListPage<Project>> {
    let query = this.#database.db.selectFrom('projects').selectAll();
    const visible = visibleTo(viewer);
    if (visible !== undefined) query = query.where(visible);
    const { name, owner, public: visibility } = search;
    if (name !== undefined && name !== '') query = query.where((eb) => containsText(eb.ref('projects.name'), name));
    if (visibility !== undefined) query = query.where('projects.public', '=', visibility ? 1 : 0);
    if (owner !== undefined && owner !== '') {
      const user = await this.#accounts.findKnownUser({ name: owner });
      if (user === undefined) return { items: [], total: 0 };
      query = query.where('projects.owner_id', '=', user.id);
    }
    const page = await fetchPage(this.#database.db, query, request, MAPPING);
    return { items: page.items.map(projectOfRow), total: page.total };
  }
}
