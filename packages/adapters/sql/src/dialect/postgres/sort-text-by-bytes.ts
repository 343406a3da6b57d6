import {
  type ColumnDataType,
  DataTypeNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely';

/** Gives every text column of a migration the order of its bytes, whatever the locale of the database: SQLite's. */
export class SortTextByBytes implements KyselyPlugin {
  readonly #transformer = new TextColumns();

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(node, queryId);
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}

class TextColumns extends OperationNodeTransformer {
  protected override transformDataType(node: DataTypeNode): DataTypeNode {
    const isText = node.dataType === 'text' || /^varchar\b/.test(node.dataType);
    // Kysely prints the type as it stands.
    return isText ? { ...node, dataType: `${node.dataType} collate "C"` as ColumnDataType } : node;
  }
}
