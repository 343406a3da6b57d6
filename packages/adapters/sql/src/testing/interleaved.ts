import { type RootOperationNode, SelectQueryNode, TableNode, UpdateQueryNode } from 'kysely';
import type { Database } from '../database.ts';
import type { Schema } from '../schema/schema.ts';

/** Which statements {@link interleaved} is about: those on a table outside of transactions. */
export interface InterleavedAt {
  readonly kind: 'select' | 'update';
  readonly table: keyof Schema;
}

/**
 * The same database, where `happens` runs after each of those statements and before its caller has the answer.
 *
 * So that a test makes happen every time what otherwise happens between two statements once in a thousand times.
 */
export function interleaved<T extends Database>(database: T, at: InterleavedAt, happens: () => Promise<void>): T {
  const chosen = new WeakSet<object>();
  const db = database.db.withPlugin({
    transformQuery: ({ node, queryId }) => {
      if (isAt(node, at)) chosen.add(queryId);
      return node;
    },
    transformResult: async ({ result, queryId }) => {
      if (chosen.has(queryId)) await happens();
      return result;
    },
  });
  return { ...database, db };
}

function isAt(node: RootOperationNode, { kind, table }: InterleavedAt): boolean {
  const tables = kind === 'select' ? selectedTables(node) : UpdateQueryNode.is(node) ? [node.table] : [];
  return tables.some((one) => one !== undefined && TableNode.is(one) && one.table.identifier.name === table);
}

function selectedTables(node: RootOperationNode) {
  return SelectQueryNode.is(node) ? (node.from?.froms ?? []) : [];
}
