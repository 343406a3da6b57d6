import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';
import { type Database, type Executor, isUniqueViolation } from '@vic/sql';
import { type ImmutableRule, type ImmutableRuleInput, immutableRuleOfRow } from './immutable-rule.ts';
import { type CompiledSelectors, compileSelectors } from './policy-selector.ts';

/** Projects whose rules were used last stay compiled. */
const COMPILED_RULES = 500;

/** Which tags may not be moved or removed: the rules of projects, and the answer they give. */
export class Immutability {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #compiled = new Map<string, CompiledSelectors>();

  constructor(deps: { readonly database: Database; readonly now?: () => number }) {
    this.#database = deps.database;
    this.#now = deps.now ?? Date.now;
  }

  /** Every rule of the project, in the order of their ids. */
  async list(projectId: number, executor: Executor = this.#database.db): Promise<readonly ImmutableRule[]> {
    const rows = await executor
      .selectFrom('immutable_rules')
      .selectAll()
      .where('project_id', '=', projectId)
      .orderBy('id')
      .execute();
    return rows.map(immutableRuleOfRow);
  }

  /** Adds a rule and gives its id. */
  async create(projectId: number, rule: ImmutableRuleInput): Promise<number> {
    compileSelectors(rule, 'never');
    const values = { project_id: projectId, ...columnsOf(rule), created_at_ms: this.#now() };
    return this.#unlessDuplicate(async () => {
      const { id } = await this.#database.db
        .insertInto('immutable_rules')
        .values(values)
        .returning('id')
        .executeTakeFirstOrThrow();
      return id;
    });
  }

  /** Replaces a rule of the project. */
  async update(projectId: number, id: number, rule: ImmutableRuleInput): Promise<void> {
    compileSelectors(rule, 'never');
    const result = await this.#unlessDuplicate(async () =>
      this.#database.db
        .updateTable('immutable_rules')
        .set(columnsOf(rule))
        .where('id', '=', id)
        .where('project_id', '=', projectId)
        .executeTakeFirst(),
    );
    if (result.numUpdatedRows === 0n) throw ruleNotFound(id);
  }

  /** Removes a rule of the project. */
  async remove(projectId: number, id: number): Promise<void> {
    const result = await this.#database.db
      .deleteFrom('immutable_rules')
      .where('id', '=', id)
      .where('project_id', '=', projectId)
      .executeTakeFirst();
    if (result.numDeletedRows === 0n) throw ruleNotFound(id);
  }

  /** Those of the tags of `repository` (with its project) that are immutable. */
  async immutableTags(projectId: number, repository: string, tags: readonly string[]): Promise<ReadonlySet<string>> {
    const isImmutable = await this.matcher(projectId, repository);
    return new Set(tags.filter(isImmutable));
  }

  /** Says of a tag of `repository` whether it is immutable by the rules as they are now. */
  async matcher(projectId: number, repository: string): Promise<(tag: string) => boolean> {
    const rules = await this.list(projectId);
    const name = repository.slice(repository.indexOf('/') + 1);
    const selecting = rules
      .filter((rule) => !rule.disabled)
      .map((rule) => this.#compile(rule))
      .filter((selectors) => selectors.selectsRepository(name));
    return (tag) => selecting.some((selectors) => selectors.selectsArtifact([tag]));
  }

  #compile(rule: ImmutableRule): CompiledSelectors {
    const key = JSON.stringify([rule.tag_selectors, rule.scope_selectors]);
    const compiled = this.#compiled.get(key) ?? compileSelectors(rule, 'never');
    this.#compiled.delete(key);
    this.#compiled.set(key, compiled);
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > COMPILED_RULES && oldest !== undefined) this.#compiled.delete(oldest);
    return compiled;
  }

  async #unlessDuplicate<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause;
      throw new VicError({
        class: 'AlreadyExists',
        code: 'IMMUTABLE_RULE_EXISTS',
        message: 'immutable rule already exists',
        cause,
      });
    }
  }
}

function columnsOf(rule: ImmutableRuleInput): {
  priority: number;
  disabled: number;
  tag_selectors: string;
  scope_selectors: string;
  selectors_hash: string;
} {
  const tagSelectors = JSON.stringify(rule.tag_selectors);
  const scopeSelectors = JSON.stringify(rule.scope_selectors);
  return {
    priority: rule.priority ?? 0,
    disabled: rule.disabled === true ? 1 : 0,
    tag_selectors: tagSelectors,
    scope_selectors: scopeSelectors,
    selectors_hash: createHash('sha256').update(`${tagSelectors}\n${scopeSelectors}`).digest('hex'),
  };
}

function ruleNotFound(id: number): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'IMMUTABLE_RULE_NOT_FOUND',
    message: `immutable rule ${id} not found`,
  });
}
