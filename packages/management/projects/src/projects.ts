import { PROJECT_ROLE_IDS, type Principal, nameOf } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type Executor, isForeignKeyViolation } from '@vic/sql';
import { HARBOR_METADATA_KEYS, MetadataRules, RETENTION_KEY } from './project-metadata.ts';
import { checkProjectName } from './project-name.ts';
import type { ProjectsDeps } from './project-services.ts';
import { type NewProject, type Project, type ProjectMetadata, projectOfRow } from './project.ts';
import { ShortCache } from './short-cache.ts';

/** How old another process's change may be before this one sees it. */
const MAX_AGE_MS = 1_000;
const NOT_EMPTY = 'the project contains repositories, can not be deleted';

/** Whether a project may be deleted, and why not. */
export interface Deletability {
  readonly deletable: boolean;
  readonly message: string | undefined;
}

/** The projects of an installation. */
export class Projects {
  readonly #deps: ProjectsDeps;
  readonly #now: () => number;
  readonly #rules: MetadataRules;
  readonly #byName: ShortCache<string, Project | undefined>;
  readonly #byId: ShortCache<number, Project | undefined>;

  constructor(deps: ProjectsDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    this.#rules = new MetadataRules([...HARBOR_METADATA_KEYS, ...(deps.metadataKeys ?? [])]);
    const age = { maxAgeMs: MAX_AGE_MS, now: this.#now };
    this.#byName = new ShortCache(age);
    this.#byId = new ShortCache(age);
  }

  /** The project of that name, or, unless `isName`, of that id; ids win, as in Harbor. */
  async find(nameOrId: string, isName = false): Promise<Project | undefined> {
    if (!isName && /^\d{1,15}$/.test(nameOrId)) return this.findById(Number(nameOrId));
    return this.findByName(nameOrId);
  }

  /** The project of that name, as it was at most a second ago. */
  async findByName(name: string): Promise<Project | undefined> {
    return this.#byName.get(name, async () => {
      const { db } = this.#deps.database;
      const row = await db.selectFrom('projects').selectAll().where('name', '=', name).executeTakeFirst();
      return row === undefined ? undefined : projectOfRow(row);
    });
  }

  /** The project with that id, as it was at most a second ago. */
  async findById(id: number): Promise<Project | undefined> {
    return this.#byId.get(id, async () => readProject(this.#deps.database.db, id));
  }

  /** The project with that id as it is at this moment, whichever process changed it. */
  async get(id: number): Promise<Project> {
    return mustRead(this.#deps.database.db, id);
  }

  /**
   * Makes a project whose owner is the operator.
   *
   * Of several who ask for one name at the same time exactly one gets it. `alongside` is part of the transaction.
   */
  async create(
    request: NewProject,
    operator: Principal,
    alongside?: (transaction: Executor, project: Project) => Promise<void>,
  ): Promise<Project> {
    checkProjectName(request.name);
    const isProxyCache = request.registryId !== undefined;
    const metadata = this.#rules.merge({}, request.metadata ?? {}, { isProxyCache });
    if (request.registryId !== undefined) await this.#deps.registries.check(request.registryId);
    const owner = operator.kind === 'user' ? operator : await this.#deps.accounts.firstAdministrator();
    const project = await this.#deps.database.transaction(async (transaction) => {
      const made = await this.#insert(transaction, { ...request, metadata }, owner.id);
      await this.#deps.quotas.create(transaction, made.id, request.storageLimitBytes);
      await alongside?.(transaction, made);
      await this.#tell(transaction, 'project.created', made, operator);
      return made;
    });
    this.#forget();
    return project;
  }

  /** Makes `default-project`, public, when the installation starts for the first time; later it changes nothing. */
  async createDefault(owner: Principal): Promise<void> {
    const first = await this.#deps.database.transaction(async (transaction) => {
      const nowMs = this.#now();
      // The system's allowlist is made here and never removed, so it marks that this has been done.
      const marker = await transaction
        .insertInto('cve_allowlists')
        .values({ project_id: 0, expires_at_s: null, cve_ids: '[]', created_at_ms: nowMs, updated_at_ms: nowMs })
        .onConflict((conflict) => conflict.column('project_id').doNothing())
        .returning('id')
        .executeTakeFirst();
      return marker !== undefined;
    });
    if (!first) return;
    try {
      await this.create({ name: 'default-project', metadata: { public: 'true' } }, owner);
    } catch (error) {
      if (!(error instanceof VicError) || error.class !== 'AlreadyExists') throw error;
    }
  }

  /** Changes the metadata given; a key that is not given keeps its value. `alongside` is part of the transaction. */
  async setMetadata(
    projectId: number,
    changes: ProjectMetadata,
    alongside?: (transaction: Executor) => Promise<void>,
  ): Promise<Project> {
    return this.#change(
      projectId,
      (project) => {
        const { [RETENTION_KEY]: retentionId, ...rest } = changes;
        if (retentionId !== undefined && retentionId !== project.metadata[RETENTION_KEY]) throw foreignRetention();
        return this.#rules.merge(project.metadata, rest, { isProxyCache: project.registryId !== undefined });
      },
      alongside,
    );
  }

  /** Takes a key away; `public` goes back to `false`. */
  async removeMetadata(projectId: number, name: string): Promise<Project> {
    return this.#change(projectId, ({ metadata }) => {
      const { [name]: removed, ...rest } = metadata;
      if (removed === undefined) return metadata;
      if (name === 'proxy_cache_filter_kind' && (rest['proxy_cache_filter_pattern'] ?? '') !== '') {
        throw new VicError({
          class: 'InvalidArgument',
          code: 'PROJECT_METADATA_IN_USE',
          message:
            'cannot delete proxy_cache_filter_kind when proxy_cache_filter_pattern is not empty, please clear the pattern first',
        });
      }
      return rest;
    });
  }

  /** Ties the project to its retention policy; `undefined` unties it. For the owner of retention policies. */
  async setRetention(transaction: Executor, projectId: number, retentionId: number | undefined): Promise<void> {
    const project = await mustRead(transaction, projectId);
    const { [RETENTION_KEY]: _previous, ...rest } = project.metadata;
    const tie = retentionId === undefined ? {} : { [RETENTION_KEY]: String(retentionId) };
    await this.#write(transaction, projectId, { ...rest, ...tie });
    this.#forget();
  }

  /** Whether {@link delete} would delete the project. */
  async deletability(projectId: number): Promise<Deletability> {
    return this.#deletability(this.#deps.database.db, projectId);
  }

  /** Deletes a project without repositories, and with it its members, policies and robots. */
  async delete(projectId: number, operator: Principal): Promise<void> {
    await this.#deps.database.transaction(async (transaction) => {
      const project = await mustRead(transaction, projectId);
      const { deletable } = await this.#deletability(transaction, projectId);
      if (!deletable) throw notEmpty();
      for (const remove of this.#deps.onDelete ?? []) await remove(transaction, project);
      await transaction.deleteFrom('cve_allowlists').where('project_id', '=', projectId).execute();
      await deleteRow(transaction, projectId);
      await this.#tell(transaction, 'project.deleted', project, operator);
    });
    this.#forget();
  }

  async #insert(transaction: Executor, request: NewProject, ownerId: number): Promise<Project> {
    const nowMs = this.#now();
    const { public: visibility, ...metadata } = request.metadata ?? {};
    const row = await transaction
      .insertInto('projects')
      .values({
        name: request.name,
        owner_id: ownerId,
        registry_id: request.registryId ?? null,
        public: visibility === 'true' ? 1 : 0,
        metadata: JSON.stringify(metadata),
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
      })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw nameTaken(request.name);
    await transaction
      .insertInto('project_members')
      .values({
        project_id: row.id,
        entity_type: 'u',
        entity_id: ownerId,
        role_id: PROJECT_ROLE_IDS.projectAdmin,
        created_at_ms: nowMs,
      })
      .execute();
    return projectOfRow(row);
  }

  async #change(
    projectId: number,
    change: (project: Project) => ProjectMetadata,
    alongside?: (transaction: Executor) => Promise<void>,
  ): Promise<Project> {
    const project = await this.#deps.database.transaction(async (transaction) => {
      await this.#write(transaction, projectId, change(await mustRead(transaction, projectId)));
      await alongside?.(transaction);
      return mustRead(transaction, projectId);
    });
    this.#forget();
    return project;
  }

  async #write(transaction: Executor, projectId: number, metadata: ProjectMetadata): Promise<void> {
    const { public: visibility, ...rest } = metadata;
    await transaction
      .updateTable('projects')
      .set({ public: visibility === 'true' ? 1 : 0, metadata: JSON.stringify(rest), updated_at_ms: this.#now() })
      .where('id', '=', projectId)
      .execute();
  }

  async #deletability(executor: Executor, projectId: number): Promise<Deletability> {
    const repositories = await this.#deps.contents.repositoryCount(executor, projectId);
    if (repositories === 0) return { deletable: true, message: undefined };
    return { deletable: false, message: NOT_EMPTY };
  }

  async #tell(
    transaction: Executor,
    type: 'project.created' | 'project.deleted',
    project: Project,
    operator: Principal,
  ): Promise<void> {
    await this.#deps.appendEvent(transaction, {
      type,
      projectId: project.id,
      projectName: project.name,
      operator: nameOf(operator),
    });
  }

  #forget(): void {
    this.#byName.forget();
    this.#byId.forget();
  }
}

async function readProject(executor: Executor, id: number): Promise<Project | undefined> {
  const row = await executor.selectFrom('projects').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : projectOfRow(row);
}

async function mustRead(executor: Executor, id: number): Promise<Project> {
  const project = await readProject(executor, id);
  if (project !== undefined) return project;
  throw new VicError({ class: 'NotFound', code: 'PROJECT_NOT_FOUND', message: `project ${id} not found` });
}

/** What was pushed since it was found empty still refers to it. */
async function deleteRow(transaction: Executor, projectId: number): Promise<void> {
  try {
    await transaction.deleteFrom('projects').where('id', '=', projectId).execute();
  } catch (error) {
    throw isForeignKeyViolation(error) ? notEmpty() : error;
  }
}

function notEmpty(): VicError {
  return new VicError({ class: 'FailedPrecondition', code: 'PROJECT_NOT_EMPTY', message: NOT_EMPTY });
}

function nameTaken(name: string): VicError {
  return new VicError({
    class: 'AlreadyExists',
    code: 'PROJECT_EXISTS',
    message: `The project named ${name} already exists`,
  });
}

function foreignRetention(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'PROJECT_RETENTION_INVALID',
    message:
      "the retention_id in the request's payload should be omitted, alternatively passing the one that has already been associated to this project",
  });
}
