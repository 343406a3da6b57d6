import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  dataTypeMeta,
  dataTypeNames,
  decodeElement,
  decodeRequest,
  decodeResponse,
  encodeElement,
  encodeRequest,
  encodeResponse,
  enumMeta,
  isDataSubtype,
  isManagedSubtype,
  managedTypeNames,
  methodMeta,
  methodNames,
  NAMESPACE,
  readXml,
  RESPONSE_LIMITS,
  TypedValue,
  type MethodArgs,
  type MethodName,
  type MethodResult,
} from './index.ts';

/** Deeper objects only cost time: every type is generated at the top. */
const MAX_DEPTH = 3;

const xmlText = fc.string({ unit: 'binary', maxLength: 12 }).map((text) =>
  // oxlint-disable-next-line no-control-regex
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

/** A value of a wire type, with `$type` on every data object as decoding gives it. */
function valueOf(type: string, depth: number): fc.Arbitrary<unknown> {
  const simple = SIMPLE[type];
  if (simple !== undefined) return simple;
  if (type.endsWith('[]')) return fc.array(valueOf(type.slice(0, -2), depth + 1), { minLength: 1, maxLength: 2 });
  if (type === 'anyType') return anyValue(depth);
  if (type.startsWith('@')) return referenceTo(type.slice(1));
  const values = enumMeta(type)?.values;
  if (values !== undefined) return fc.constantFrom(...values);
  return subtypeOf(type).chain((name) => dataObject(name, depth));
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
  return fc.oneof(leaf, referenceTo('ManagedObject'), dataObject('OptionValue', depth + 1));
}

function referenceTo(base: string): fc.Arbitrary<unknown> {
  const types = managedTypeNames().filter((name) => isManagedSubtype(name, base));
  return fc.record({ type: fc.constantFrom(...types), value: xmlText });
}

function subtypeOf(base: string): fc.Arbitrary<string> {
  return fc.constantFrom(base, ...dataTypeNames().filter((name) => name !== base && isDataSubtype(name, base)));
}

function dataObject(name: string, depth: number): fc.Arbitrary<object> {
  const properties = dataTypeMeta(name)?.properties ?? [];
  return fc.constant(undefined).chain(() => {
    const fields = properties
      .filter((property) => !property.optional || depth < MAX_DEPTH)
      .map((property) => [property.name, fieldOf(property.type, property.optional, depth)] as const);
    return fc.record(Object.fromEntries(fields)).map((record) => ({ $type: name, ...withoutUndefined(record) }));
  });
}

function fieldOf(type: string, optional: boolean, depth: number): fc.Arbitrary<unknown> {
  if (!optional) return depth > 2 * MAX_DEPTH ? shallowest(type, depth) : valueOf(type, depth + 1);
  return fc.boolean().chain((present) => (present ? valueOf(type, depth + 1) : fc.constant(undefined)));
}

/** Ends recursion through required properties: an empty list where one is possible. */
function shallowest(type: string, depth: number): fc.Arbitrary<unknown> {
  if (type.endsWith('[]')) return fc.constant([]);
  if (type === 'anyType') return xmlText;
  return dataTypeMeta(type) === undefined ? valueOf(type, depth) : dataObject(type, depth + 1);
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

function roundTrip(type: string, value: unknown): unknown {
  const xml = encodeElement('value', type, value).replace('<value', '<value xmlns="urn:vim25"');
  const scope = `<x xmlns:xsi="${NAMESPACE.xsi}" xmlns:xsd="${NAMESPACE.xsd}">${xml}</x>`;
  const [element] = readXml(scope, RESPONSE_LIMITS).children;
  return element === undefined ? undefined : decodeElement(element, type, { mode: 'strict' });
}

it('decode(encode(x)) is x for objects of any type', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...dataTypeNames()).chain((name) => dataObject(name, 0)),
      (object) => {
        expect(roundTrip('anyType', object)).toEqual(object);
      },
    ),
    { numRuns: 400 },
  );
});

it('decode(encode(x)) is x for one object of every type', () => {
  for (const name of dataTypeNames()) {
    const [object] = fc.sample(dataObject(name, MAX_DEPTH), { numRuns: 1, seed: 1 });
    expect(roundTrip(name, object)).toEqual(object);
  }
});

it('decode(encode(x)) is x for lists and numbers whose type is stated', () => {
  const typed = fc.constantFrom(
    'long[]',
    'string[]',
    'VirtualMachinePowerState[]',
    '@Datastore[]',
    'VirtualDisk[]',
    'float',
  );
  fc.assert(
    fc.property(
      typed.chain((type) => valueOf(type, MAX_DEPTH).map((value) => ({ type, value }))),
      ({ type, value }) => {
        expect(roundTrip('anyType', new TypedValue(type, value))).toEqual(value);
      },
    ),
    { numRuns: 60 },
  );
});

it('a request of any method with arbitrary arguments arrives as it was sent', () => {
  const call = fc.constantFrom(...(methodNames() as readonly MethodName[])).chain((name) => {
    const method = methodMeta(name);
    const fields = (method?.parameters ?? []).map((it) => [it.name, fieldOf(it.type, it.optional, 1)] as const);
    return fc
      .record(Object.fromEntries(fields))
      .map((args) => ({ name, owner: method?.owner ?? '', args: withoutUndefined(args) }));
  });
  fc.assert(
    fc.property(call, ({ name, owner, args }) => {
      const self = { type: owner, value: 'object-1' };
      const request = decodeRequest(encodeRequest(name, self, args as MethodArgs<typeof name>));
      expect(request).toMatchObject({ method: { name }, self });
      expect(request.args).toEqual(args);
    }),
    { numRuns: 200 },
  );
});

it('a response of any method with an arbitrary result arrives as it was sent', () => {
  const answer = fc
    .constantFrom(...(methodNames() as readonly MethodName[]).filter((name) => methodMeta(name)?.result !== 'void'))
    .chain((name) => valueOf(methodMeta(name)?.result ?? '', 1).map((result) => ({ name, result })));
  fc.assert(
    fc.property(answer, ({ name, result }) => {
      expect(decodeResponse(name, encodeResponse(name, result as MethodResult<typeof name>))).toEqual(result);
    }),
    { numRuns: 200 },
  );
});
