import { VicError } from '@vic/errors';
import type { ListFields } from '@vic/rest';
import {
  type Expression,
  type ListMapping,
  type RawBuilder,
  type SqlBool,
  containsText,
  filterCondition,
  sql,
  type ListFilter,
} from '@vic/sql';
import { isListed, isTagged } from './visible-artifacts.ts';

const COLUMNS: ListMapping['columns'] = {
  id: { column: 'artifacts.id', type: 'number' },
  repository_id: { column: 'artifacts.repository_id', type: 'number' },
  type: { column: 'artifacts.type', type: 'text' },
  media_type: { column: 'artifacts.media_type', type: 'text' },
  manifest_media_type: { column: 'artifacts.manifest_media_type', type: 'text' },
  artifact_type: { column: 'artifacts.artifact_type', type: 'text' },
  digest: { column: 'artifacts.digest', type: 'text' },
  size: { column: 'artifacts.size_bytes', type: 'number' },
  push_time: { column: 'artifacts.pushed_at_ms', type: 'time' },
  pull_time: { column: 'artifacts.pulled_at_ms', type: 'time' },
};

/** Each is looked for by itself. */
const MAX_LABELS = 50;

/** The artifacts of a repository, newest first: the order of an index. */
export const REPOSITORY_ARTIFACTS: ListMapping = { columns: COLUMNS, defaultSort: ['-push_time', '-id'] };

/** The artifacts of a project, newest first: the order of an index. */
export const PROJECT_ARTIFACTS: ListMapping = { columns: COLUMNS, defaultSort: ['-id'] };

/** What artifacts can be filtered and sorted by. */
export const ARTIFACT_FIELDS: ListFields = {
  filter: [...Object.keys(COLUMNS), 'tags', 'labels', 'base'],
  sort: Object.keys(COLUMNS),
};

/**
 * The conditions of a list of artifacts of `repositories`, a list or query of ids.
 *
 * Harbor's `tags=*`, `tags=nil`, `tags=v1`, `tags=~v` and `labels=(1 2)`; `base=*` takes in the members of indexes
 * and what belongs to other artifacts.
 */
export function artifactConditions(
  filters: readonly ListFilter[],
  repositories: RawBuilder<unknown>,
): readonly Expression<SqlBool>[] {
  const all = filters.some((filter) => filter.field === 'base' && textOf(filter) === '*');
  const conditions = filters.filter(({ field }) => field !== 'base').map((filter) => conditionOf(filter, repositories));
  return all ? conditions : [isListed(), ...conditions];
}

function conditionOf(filter: ListFilter, repositories: RawBuilder<unknown>): Expression<SqlBool> {
  if (filter.field === 'tags') return tagCondition(filter, repositories);
  if (filter.field === 'labels') return labelCondition(filter);
  return filterCondition(filter, REPOSITORY_ARTIFACTS);
}

function tagCondition(filter: ListFilter, repositories: RawBuilder<unknown>): Expression<SqlBool> {
  const name = textOf(filter);
  if (filter.kind === 'equal' && name === '*') return isTagged();
  if (filter.kind === 'equal' && name === 'nil') return sql<SqlBool>`not ${isTagged()}`;
  const matches =
    filter.kind === 'like' ? containsText(sql<string>`tags.name`, name) : sql<SqlBool>`tags.name = ${name}`;
  return sql<SqlBool>`artifacts.id in (
    select tags.artifact_id from tags where tags.repository_id in (${repositories}) and ${matches}
  )`;
}

function labelCondition(filter: ListFilter): Expression<SqlBool> {
  const values = filter.kind === 'allOf' || filter.kind === 'anyOf' ? filter.values : [textOf(filter)];
  const ids = values.map((value) => {
    if (!/^\d{1,15}$/.test(value)) throw invalid('labels names labels by their ids');
    return Number(value);
  });
  if (ids.length === 0 || ids.length > MAX_LABELS) throw invalid(`labels names from 1 to ${MAX_LABELS} labels`);
  const has = ids.map(
    (id) => sql<SqlBool>`exists (
      select 1 from artifact_labels where artifact_labels.artifact_id = artifacts.id and artifact_labels.label_id = ${id}
    )`,
  );
  return sql<SqlBool>`(${sql.join(has, filter.kind === 'anyOf' ? sql` or ` : sql` and `)})`;
}

function textOf(filter: ListFilter): string {
  if (filter.kind === 'equal' || filter.kind === 'like') return filter.value;
  throw invalid(`${filter.field} takes one value`);
}

function invalid(reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'LIST_QUERY_INVALID',
    message: `invalid list query: ${reason}`,
  });
}
