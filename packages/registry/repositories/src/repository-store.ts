import type { Logger } from '@vic/log';
import type { ContentDigest } from '@vic/oci';
import type { Database, Executor } from '@vic/sql';
import type { Actor, ArtifactGate, RepositoryPlace } from './artifact-gate.ts';
import {
  artifactOf,
  ensureRepository,
  findRepository,
  referenceOf,
  repositoryOf,
  resolveArtifact,
  tagOf,
} from './artifact-rows.ts';
import type { Artifact, ArtifactReference, Referrer, Repository, Tag } from './artifact.ts';
import {
  type LinkedBlob,
  type MountSource,
  admitBlob,
  findBlob,
  linkBlob,
  mountBlob,
  unlinkBlob,
} from './blob-links.ts';
import { type BlobState, blobState } from './blob-claims.ts';
import { type BlobContent, ConfigAttributes } from './config-attributes.ts';
import { foldUsage, usageOf } from './content-usage.ts';
import { type CopySource, copyArtifact } from './copy-artifact.ts';
import { type DeletionOutcome, type JudgedArtifact, deleteArtifact, deleteArtifacts } from './delete-artifact.ts';
import { deleteRepository, deleteUnlisted } from './delete-repository.ts';
import { type ServedManifest, findManifest } from './find-manifest.ts';
import { GroupCommit } from './group-commit.ts';
import type { KeysetPage } from './keyset-page.ts';
import type { SparsePolicy } from './missing-content.ts';
import { noSuchRepository } from './not-found.ts';
import { PullAccounting } from './pull-accounting.ts';
import { type NewManifest, type PutManifestResult, putManifest } from './put-manifest.ts';
import { listReferrers } from './referrers.ts';
import type { StoreContext } from './store-context.ts';
import { createTag, deleteTag, listTags } from './tags.ts';

/** What a {@link RepositoryStore} is built on. */
export interface RepositoryStoreOptions {
  readonly database: Database;
  /** Where configurations are read from when an artifact is pushed: the blob store. */
  readonly blobs: BlobContent;
  readonly logger: Logger;
  /** Asked in this order; the first that throws decides. */
  readonly gates?: readonly ArtifactGate[];
  /** `indexes` when absent. */
  readonly sparse?: SparsePolicy;
  readonly nowMs?: () => number;
}

/** How often what was appended is folded into its totals. */
const FOLD_INTERVAL_MS = 10_000;

/**
 * Everything that was pushed, by repository.
 *
 * What changes something asks the gates first, then commits in one transaction with its events.
 */
export class RepositoryStore implements AsyncDisposable {
  readonly #context: StoreContext;
  readonly #pulls: PullAccounting;
  readonly #logger: Logger;
  readonly #folding: NodeJS.Timeout;
  #folded: Promise<void> = Promise.resolve();

  constructor(options: RepositoryStoreOptions) {
    this.#context = {
      database: options.database,
      commits: new GroupCommit(options.database),
      gates: options.gates ?? [],
      attributes: new ConfigAttributes(options.blobs),
      sparse: options.sparse ?? 'indexes',
      nowMs: options.nowMs ?? Date.now,
    };
    this.#logger = options.logger;
    this.#pulls = new PullAccounting(options.database, options.logger);
    this.#folding = setInterval(() => void this.fold(), FOLD_INTERVAL_MS).unref();
  }

  async findRepository(name: string): Promise<Repository | undefined> {
    return findRepository(this.#context.database.db, name);
  }

  /** By name. */
  async listRepositories(projectId: number, page: KeysetPage): Promise<readonly Repository[]> {
    const rows = await this.#context.database.db
      .selectFrom('repositories')
      .selectAll()
      .where('project_id', '=', projectId)
      .where('listed', '=', 1)
      .where('name', '>', page.after ?? '')
      .orderBy('name')
      .limit(page.limit)
      .execute();
    return rows.map(repositoryOf);
  }

  async countRepositories(projectId: number): Promise<number> {
    const row = await this.#context.database.db
      .selectFrom('repositories')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('project_id', '=', projectId)
      .where('listed', '=', 1)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** Names of the repositories of these projects, or of all. */
  async listCatalog(projectIds: readonly number[] | 'all', page: KeysetPage): Promise<readonly string[]> {
    if (projectIds.length === 0) return [];
    const rows = await this.#context.database.db
      .selectFrom('repositories')
      .select('name')
      .where('listed', '=', 1)
      .$if(projectIds !== 'all', (query) => query.where('project_id', 'in', [...(projectIds as readonly number[])]))
      .where('name', '>', page.after ?? '')
      .orderBy('name')
      .limit(page.limit)
      .execute();
    return rows.map(({ name }) => name);
  }

  /** Makes an empty repository, or finds the one that is there. */
  async createRepository(place: RepositoryPlace): Promise<Repository> {
    const { database, nowMs } = this.#context;
    await database.transaction(async (tx) =>
      ensureRepository(tx, { projectId: place.project.id, name: place.repository, nowMs: nowMs(), listed: true }),
    );
    const repository = await this.findRepository(place.repository);
    if (repository === undefined) throw noSuchRepository(place.repository);
    return repository;
  }

  async describeRepository(name: string, description: string): Promise<void> {
    const updated = await this.#context.database.db
      .updateTable('repositories')
      .set({ description, updated_at_ms: this.#context.nowMs() })
      .where('name', '=', name)
      .returning('id')
      .execute();
    if (updated.length === 0) throw noSuchRepository(name);
  }

  /** Forgets what broken-off pushes left in a project that is being deleted: it has nothing else. */
  async projectDeleted(transaction: Executor, projectId: number): Promise<void> {
    await deleteUnlisted(transaction, projectId);
  }

  /** With everything in it, when the gates let each artifact go. */
  async deleteRepository(place: RepositoryPlace, actor: Actor): Promise<void> {
    return deleteRepository(this.#context, place, actor);
  }

  /** The artifact of a tag or digest. */
  async resolve(repository: string, reference: string): Promise<Artifact | undefined> {
    return resolveArtifact(this.#context.database.db, repository, reference);
  }

  /** In the order they were pushed. */
  async listArtifacts(
    repositoryId: number,
    page: { readonly afterId?: number; readonly limit: number },
  ): Promise<readonly Artifact[]> {
    const rows = await this.#context.database.db
      .selectFrom('artifacts')
      .selectAll()
      .where('repository_id', '=', repositoryId)
      .where('id', '>', page.afterId ?? 0)
      .orderBy('id')
      .limit(page.limit)
      .execute();
    return rows.map(artifactOf);
  }

  async tagsOf(artifactId: number): Promise<readonly Tag[]> {
    const rows = await this.#context.database.db
      .selectFrom('tags')
      .selectAll()
      .where('artifact_id', '=', artifactId)
      .orderBy('name')
      .execute();
    return rows.map(tagOf);
  }

  /** What an index lists, in its order. */
  async listReferences(artifactId: number): Promise<readonly ArtifactReference[]> {
    const rows = await this.#context.database.db
      .selectFrom('artifact_references')
      .selectAll()
      .where('parent_id', '=', artifactId)
      .orderBy('position')
      .execute();
    return rows.map(referenceOf);
  }

  /** Names of tags, in order; `undefined` when there is no such repository. */
  async listTags(repository: string, page: KeysetPage): Promise<readonly string[] | undefined> {
    const found = await this.findRepository(repository);
    return found?.isListed !== true ? undefined : listTags(this.#context.database.db, found.id, page);
  }

  /** What names `subject` as its subject; the subject need not be there. */
  async listReferrers(repository: string, subject: ContentDigest, artifactType?: string): Promise<readonly Referrer[]> {
    return listReferrers(this.#context.database.db, repository, subject, artifactType);
  }

  /** A manifest without gates and accounting: for the registry's own use. */
  async getManifest(repository: string, reference: string): Promise<ServedManifest | undefined> {
    return findManifest(this.#context.database.db, repository, reference);
  }

  /** A manifest as a client pulls it: through the gates; not `counted` for a HEAD. */
  async pullManifest(
    place: RepositoryPlace,
    actor: Actor,
    wanted: { readonly reference: string; readonly counted: boolean },
  ): Promise<ServedManifest | undefined> {
    const served = await findManifest(this.#context.database.db, place.repository, wanted.reference);
    if (served === undefined) return undefined;
    const { artifact, tag } = served;
    for (const gate of this.#context.gates) {
      await gate.beforePull?.({ ...place, actor, artifact, ...(tag === undefined ? {} : { tag }) });
    }
    if (wanted.counted) this.#pulls.record({ place, actor, artifact, tag, atMs: this.#context.nowMs() });
    return served;
  }

  /** Stores a manifest; throws `MissingContent` for what it references and the repository does not have. */
  async putManifest(place: RepositoryPlace, actor: Actor, manifest: NewManifest): Promise<PutManifestResult> {
    return putManifest(this.#context, place, actor, manifest);
  }

  /** With its tags and accessories; refused while an index lists it. */
  async deleteArtifact(place: RepositoryPlace, actor: Actor, reference: string): Promise<void> {
    return deleteArtifact(this.#context, place, actor, reference);
  }

  /** Many of one repository, each as {@link deleteArtifact} would, unless its tags are others by now. */
  async deleteArtifacts(
    place: RepositoryPlace,
    actor: Actor,
    judged: readonly JudgedArtifact[],
  ): Promise<readonly DeletionOutcome[]> {
    return deleteArtifacts(this.#context, place, actor, judged);
  }

  /** One more tag; a name that is taken is refused. */
  async createTag(
    place: RepositoryPlace,
    actor: Actor,
    tag: { readonly name: string; readonly reference: string },
  ): Promise<Tag> {
    return createTag(this.#context, place, actor, tag);
  }

  /** Only the tag. */
  async deleteTag(place: RepositoryPlace, actor: Actor, name: string): Promise<void> {
    return deleteTag(this.#context, place, actor, name);
  }

  /** Into `place`, with children, accessories and, when named by tag, that tag. */
  async copyArtifact(place: RepositoryPlace, actor: Actor, source: CopySource): Promise<Artifact> {
    return copyArtifact(this.#context, place, actor, source);
  }

  /** A blob the repository may serve; `keep` protects it from the collector, for a push to follow. */
  async findBlob(
    repository: string,
    digest: ContentDigest,
    options: { readonly keep: boolean } = { keep: false },
  ): Promise<LinkedBlob | undefined> {
    return findBlob(this.#context, repository, { digest, keep: options.keep });
  }

  /** Asks the gates whether a blob may come; `digest` is absent while it is not known. */
  async admitBlob(
    place: RepositoryPlace,
    actor: Actor,
    blob: { readonly digest: ContentDigest | undefined; readonly sizeBytes: number },
  ): Promise<void> {
    return admitBlob(this.#context, place, actor, blob);
  }

  /**
   * Says that a blob, which the blob store has, belongs to the repository; makes the repository when needed.
   * `NotFound` (`BLOB_CONDEMNED`) when the collector is removing the blob.
   */
  async linkBlob(place: RepositoryPlace, blob: LinkedBlob): Promise<void> {
    return linkBlob(this.#context, place, blob);
  }

  /** Links a blob of another repository; `undefined` when there is none the caller may pull it from. */
  async mountBlob(place: RepositoryPlace, actor: Actor, source: MountSource): Promise<LinkedBlob | undefined> {
    return mountBlob(this.#context, place, actor, source);
  }

  /** Whether the collector is removing the blob at this moment. */
  async blobState(digest: ContentDigest): Promise<BlobState> {
    return blobState(this.#context.database.db, digest);
  }

  /** Only the link; the collector removes the blob. Gives whether it was there. */
  async unlinkBlob(repository: string, digest: ContentDigest): Promise<boolean> {
    return unlinkBlob(this.#context, repository, digest);
  }

  /** Bytes of the unique blobs and manifests of a project, exactly. */
  async usageOf(projectId: number): Promise<number> {
    return usageOf(this.#context.database.db, projectId);
  }

  /** Brings totals up to date now, which happens by itself before long. */
  async fold(): Promise<void> {
    this.#folded = this.#folded.then(async () => this.#fold());
    await this.#folded;
  }

  /** Writes the pulls not yet counted. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#folding);
    await this.#folded;
    await this.#pulls[Symbol.asyncDispose]();
  }

  async #fold(): Promise<void> {
    await this.#pulls.flush();
    try {
      await foldUsage(this.#context.database);
    } catch (error) {
      this.#logger.warn('Storage use could not be folded; the next round does it', { error });
    }
  }
}
