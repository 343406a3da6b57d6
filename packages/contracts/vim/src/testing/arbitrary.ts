import fc from 'fast-check';
import {
  dataTypeMeta,
  dataTypeNames,
  enumMeta,
  isDataSubtype,
  isManagedSubtype,
  managedTypeNames,
} from '../metadata.ts';

/** Deeper objects only cost time: every type is generated at the top. */
const MAX_DEPTH = 3;

const xmlText = fc.string({ unit: 'binary', maxLength: 12 }).map((text) =>
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  text.toWellFormed().replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '.'),
);

const SIMPLE: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: xmlText,
  boolean: fc.boolean(),
  byte: fc.integer({ min: -128, max: 127 }),
  short: fc.integer({ min: -32_768, max: 32_767 }),
  int: fc.integer(),
  long: fc.maxSafeInteger(),
  float: fc.double(),
  double: fc.double(),
  dateTime: fc.date({ min: new Date(0), max: new Date('2099-12-31T00:00:00Z'), noInvalidDate: true }),
  binary: fc.uint8Array({ maxLength: 8 }),
};

/** An arbitrary value of a wire type, with `$type` on every data object as decoding gives it. */
export function arbitraryValue(type: string, depth = 0): fc.Arbitrary<unknown> {
  const simple = SIMPLE[type];
  if (simple !== undefined) return simple;
  if (type.endsWith('[]'))
    return fc.array(arbitraryValue(type.slice(0, -2), depth + 1), { minLength: 1, maxLength: 2 });
  if (type === 'anyType') return anyValue(depth);
  if (type.startsWith('@')) return referenceTo(type.slice(1));
  const values = enumMeta(type)?.values;
  if (values !== undefined) return fc.constantFrom(...values);
  return subtypeOf(type).chain((name) => arbitraryObject(name, depth));
}

function anyValue(depth: number): fc.Arbitrary<unknown> {
  const leaf = fc.oneof(
    xmlText,
    fc.integer(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.double(),
    SIMPLE['binary'] ?? xmlText,
  );
  return fc.oneof(leaf, referenceTo('ManagedObject'), arbitraryObject('OptionValue', depth + 1));
}

function referenceTo(base: string): fc.Arbitrary<unknown> {
  const types = managedTypeNames().filter((name) => isManagedSubtype(name, base));
  return fc.record({ type: fc.constantFrom(...types), value: xmlText });
}

function subtypeOf(base: string): fc.Arbitrary<string> {
  return fc.constantFrom(base, ...dataTypeNames().filter((name) => name !== base && isDataSubtype(name, base)));
}

/** An arbitrary data object of exactly this type. */
export function arbitraryObject(name: string, depth = 0): fc.Arbitrary<object> {
  const properties = dataTypeMeta(name)?.properties ?? [];
  return fc.constant(undefined).chain(() => {
    const fields = properties
      .filter((property) => !property.optional || depth < MAX_DEPTH)
      .map((property) => [property.name, arbitraryField(property.type, property.optional, depth)] as const);
    return fc.record(Object.fromEntries(fields)).map((record) => ({ $type: name, ...withoutUndefined(record) }));
  });
}

/** An arbitrary member or argument: `undefined` only when it is optional. */
export function arbitraryField(type: string, optional: boolean, depth = 0): fc.Arbitrary<unknown> {
  if (!optional) return depth > 2 * MAX_DEPTH ? shallowest(type, depth) : arbitraryValue(type, depth + 1);
  return fc.boolean().chain((present) => (present ? arbitraryValue(type, depth + 1) : fc.constant(undefined)));
}

/** Ends recursion through required properties: an empty list where one is possible. */
function shallowest(type: string, depth: number): fc.Arbitrary<unknown> {
  if (type.endsWith('[]')) return fc.constant([]);
  if (type === 'anyType') return xmlText;
  return dataTypeMeta(type) === undefined ? arbitraryValue(type, depth) : arbitraryObject(type, depth + 1);
}

/** The record without its members that are `undefined`, as decoding gives it. */
export function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
