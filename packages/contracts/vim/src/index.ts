export type * from './generated/index.ts';
export { isReference, reference, sameReference, TypedValue } from './values.ts';
export type { AnyValue, ManagedObjectReference, TypedData } from './values.ts';
export { isA, make } from './data-object.ts';
export {
  compareVersions,
  dataTypeMeta,
  dataTypeNames,
  enumMeta,
  isDataSubtype,
  isManagedSubtype,
  KNOWN_VERSIONS,
  knownVersion,
  managedTypeMeta,
  managedTypeNames,
  methodMeta,
  methodNames,
  NEWEST_VERSION,
} from './metadata.ts';
export type {
  ApiVersion,
  DataTypeMeta,
  EnumMeta,
  ManagedTypeMeta,
  MethodMeta,
  MethodName,
  PropertyMeta,
} from './metadata.ts';
export { parsePropertyPath, propertyAt } from './property-path.ts';
export type { PathStep } from './property-path.ts';
