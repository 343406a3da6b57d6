import { VicError } from '@vic/errors';
import type { ArtifactDeleteSubject, ArtifactGate, PushSubject, TagDeleteSubject } from '@vic/repositories';
import type { Database } from '@vic/sql';
import { breaksGlass } from './break-glass.ts';
import type { Immutability } from './immutability.ts';

/**
 * Refuses to move or remove immutable tags.
 *
 * Pushing what a tag points to already changes nothing and is let through.
 */
export class ImmutabilityGate implements ArtifactGate {
  readonly name = 'immutability';
  readonly #database: Database;
  readonly #immutability: Pick<Immutability, 'immutableTags'>;

  constructor(deps: { readonly database: Database; readonly immutability: Pick<Immutability, 'immutableTags'> }) {
    this.#database = deps.database;
    this.#immutability = deps.immutability;
  }

  async beforePush({ project, repository, digest, tags }: PushSubject): Promise<void> {
    if (tags.length === 0) return;
    const immutable = await this.#immutability.immutableTags(project.id, repository, tags);
    if (immutable.size === 0) return;
    const moved = await this.#database.db
      .selectFrom('repositories')
      .innerJoin('tags', 'tags.repository_id', 'repositories.id')
      .innerJoin('artifacts', 'artifacts.id', 'tags.artifact_id')
      .select('tags.name')
      .where('repositories.name', '=', repository)
      .where('tags.name', 'in', [...immutable])
      .where('artifacts.digest', '!=', digest)
      .executeTakeFirst();
    if (moved === undefined) return;
    const name = repository.slice(repository.indexOf('/') + 1);
    throw immutableTag(`Failed to process request due to '${name}:${moved.name}' configured as immutable.`);
  }

  async beforeTagDelete({ actor, project, repository, tag }: TagDeleteSubject): Promise<void> {
    if (breaksGlass(actor)) return;
    const immutable = await this.#immutability.immutableTags(project.id, repository, [tag]);
    if (immutable.has(tag)) throw cannotBeDeleted(tag);
  }

  async beforeArtifactDelete({ actor, project, repository, tags }: ArtifactDeleteSubject): Promise<void> {
    if (tags.length === 0 || breaksGlass(actor)) return;
    const [first] = await this.#immutability.immutableTags(project.id, repository, tags);
    if (first !== undefined) throw cannotBeDeleted(first);
  }
}

function cannotBeDeleted(tag: string): VicError {
  return immutableTag(`the tag ${tag} configured as immutable, cannot be deleted`);
}

function immutableTag(message: string): VicError {
  return new VicError({ class: 'FailedPrecondition', code: 'TAG_IMMUTABLE', message });
}
