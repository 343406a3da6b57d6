import type { DataTypeName, DataTypes } from './generated/index.ts';
import { isDataSubtype } from './metadata.ts';

/** A data object that names its type; needed wherever a base type is declared. */
export function make<N extends DataTypeName>(
  type: N,
  fields: Omit<DataTypes[N], '$type'>,
): DataTypes[N] & { $type: N } {
  return { ...fields, $type: type } as DataTypes[N] & { $type: N };
}

/** Whether a value is a data object of this type or of one derived from it. */
export function isA<N extends DataTypeName>(value: unknown, type: N): value is DataTypes[N] {
  return (
    typeof value === 'object' &&
    value !== null &&
    '$type' in value &&
    typeof value.$type === 'string' &&
    isDataSubtype(value.$type, type)
  );
}
