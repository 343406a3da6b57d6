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
export { isFault, VimFault } from './vim-fault.ts';
export type { VimFaultInit } from './vim-fault.ts';
export { encodeElement } from './encode.ts';
export type { EncodeOptions } from './encode.ts';
export { decodeElement, invalidRequest } from './decode.ts';
export type { DecodeOptions } from './decode.ts';
export {
  decodeRequest,
  decodeResponse,
  encodeFault,
  encodeRequest,
  encodeResponse,
  soapAction,
  versionOfSoapAction,
} from './soap.ts';
export type { DecodedRequest, DecodeRequestOptions, MethodArgs, MethodResult } from './soap.ts';
export { NAMESPACE, readXml, REQUEST_LIMITS, RESPONSE_LIMITS } from './xml-reader.ts';
export type { QualifiedName, XmlElement, XmlLimits } from './xml-reader.ts';
