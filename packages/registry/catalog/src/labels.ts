import { VicError } from '@vic/errors';
import { type Database, type Executor, isUniqueViolation } from '@vic/sql';
import type { LabelRow } from './artifact-parts.ts';

/** What a client says of a label. */
export interface LabelContent {
  readonly name: string;
  readonly description: string;
  /** `#rrggbb`, or empty. */
  readonly color: string;
}

const MAX_NAME_LENGTH = 128;
const COLOR = /^(?:#[0-9a-f]{6})?$/i;

/** Global labels and those of projects. */
export class Labels {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(deps: { readonly database: Database; readonly now?: () => number }) {
    this.#database = deps.database;
    this.#now = deps.now ?? Date.now;
  }

  /** Makes a label, global without a project; gives its id. */
  async create(projectId: number | undefined, content: LabelContent): Promise<number> {
    checkLabel(content);
    const now = this.#now();
    return unlessDuplicate(content.name, async () => {
      const { id } = await this.#database.db
        .insertInto('labels')
        .values({ project_id: projectId ?? null, ...content, created_at_ms: now, updated_at_ms: now })
        .returning('id')
        .executeTakeFirstOrThrow();
      return id;
    });
  }

  async get(id: number): Promise<LabelRow> {
    const row = await this.#database.db.selectFrom('labels').selectAll().where('id', '=', id).executeTakeFirst();
    if (row !== undefined) return row;
    throw labelNotFound(id);
  }

  async update(id: number, content: LabelContent): Promise<void> {
    checkLabel(content);
    await unlessDuplicate(content.name, async () =>
      this.#database.db
        .updateTable('labels')
        .set({ ...content, updated_at_ms: this.#now() })
        .where('id', '=', id)
        .execute(),
    );
  }

  /** Takes it off every artifact, too. */
  async remove(id: number): Promise<void> {
    await this.#database.db.deleteFrom('labels').where('id', '=', id).execute();
  }

  /** Puts a label on an artifact of the project; refuses one that is there, or that is another project's. */
  async attach(
    transaction: Executor,
    artifact: { readonly id: number; readonly projectId: number },
    id: number,
  ): Promise<LabelRow> {
    const label = await transaction.selectFrom('labels').selectAll().where('id', '=', id).executeTakeFirst();
    if (label === undefined) throw labelNotFound(id);
    if (label.project_id !== null && label.project_id !== artifact.projectId) {
      throw new VicError({
        class: 'NotFound',
        code: 'LABEL_NOT_FOUND',
        message: `project id ${artifact.projectId}, label ${id} not found`,
      });
    }
    const added = await transaction
      .insertInto('artifact_labels')
      .values({ artifact_id: artifact.id, label_id: id, created_at_ms: this.#now() })
      .onConflict((conflict) => conflict.columns(['artifact_id', 'label_id']).doNothing())
      .returning('label_id')
      .executeTakeFirst();
    if (added !== undefined) return label;
    throw new VicError({
      class: 'AlreadyExists',
      code: 'LABEL_ATTACHED',
      message: `label ${id} is already added to the artifact ${artifact.id}`,
    });
  }

  /** Takes a label off an artifact. */
  async detach(artifactId: number, id: number): Promise<void> {
    const { numDeletedRows } = await this.#database.db
      .deleteFrom('artifact_labels')
      .where('artifact_id', '=', artifactId)
      .where('label_id', '=', id)
      .executeTakeFirst();
    if (numDeletedRows > 0n) return;
    throw new VicError({
      class: 'NotFound',
      code: 'LABEL_NOT_ATTACHED',
      message: `reference with label ${id} and artifact ${artifactId} not found`,
    });
  }
}

function checkLabel({ name, color }: LabelContent): void {
  const problem =
    name === '' || name.length > MAX_NAME_LENGTH
      ? `label name must have from 1 to ${MAX_NAME_LENGTH} characters`
      : COLOR.test(color)
        ? undefined
        : 'label color must be empty or of the form #rrggbb';
  if (problem === undefined) return;
  throw new VicError({ class: 'InvalidArgument', code: 'LABEL_INVALID', message: problem });
}

async function unlessDuplicate<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (!isUniqueViolation(cause)) throw cause;
    throw new VicError({
      class: 'AlreadyExists',
      code: 'LABEL_EXISTS',
      message: `label ${name} already exists`,
      cause,
    });
  }
}

function labelNotFound(id: number): VicError {
  return new VicError({ class: 'NotFound', code: 'LABEL_NOT_FOUND', message: `label ${id} not found` });
}
