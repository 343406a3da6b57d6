import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  dataTypeNames,
  decodeElement,
  decodeRequest,
  decodeResponse,
  encodeElement,
  encodeRequest,
  encodeResponse,
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
import { arbitraryField, arbitraryObject, arbitraryValue, withoutUndefined } from './testing/index.ts';

/** Seconds of computing here are minutes on a machine that is busy otherwise. */
const PATIENTLY = { timeout: 300_000 };
/** Objects at this depth have only what is required. */
const SHALLOW = 3;

function roundTrip(type: string, value: unknown): unknown {
  const xml = encodeElement('value', type, value).replace('<value', '<value xmlns="urn:vim25"');
  const scope = `<x xmlns:xsi="${NAMESPACE.xsi}" xmlns:xsd="${NAMESPACE.xsd}">${xml}</x>`;
  const [element] = readXml(scope, RESPONSE_LIMITS).children;
  return element === undefined ? undefined : decodeElement(element, type, { mode: 'strict' });
}

it('decode(encode(x)) is x for objects of any type', PATIENTLY, () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...dataTypeNames()).chain((name) => arbitraryObject(name)),
      (object) => {
        expect(roundTrip('anyType', object)).toEqual(object);
      },
    ),
    { numRuns: 400 },
  );
});

it('decode(encode(x)) is x for one object of every type', PATIENTLY, () => {
  for (const name of dataTypeNames()) {
    const [object] = fc.sample(arbitraryObject(name, SHALLOW), { numRuns: 1, seed: 1 });
    expect(roundTrip(name, object)).toEqual(object);
  }
});

it('decode(encode(x)) is x for lists and numbers whose type is stated', PATIENTLY, () => {
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
      typed.chain((type) => arbitraryValue(type, SHALLOW).map((value) => ({ type, value }))),
      ({ type, value }) => {
        expect(roundTrip('anyType', new TypedValue(type, value))).toEqual(value);
      },
    ),
    { numRuns: 60 },
  );
});

it('a request of any method with arbitrary arguments arrives as it was sent', PATIENTLY, () => {
  const call = fc.constantFrom(...(methodNames() as readonly MethodName[])).chain((name) => {
    const method = methodMeta(name);
    const fields = (method?.parameters ?? []).map((it) => [it.name, arbitraryField(it.type, it.optional, 1)] as const);
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

it('a response of any method with an arbitrary result arrives as it was sent', PATIENTLY, () => {
  const answer = fc
    .constantFrom(...(methodNames() as readonly MethodName[]).filter((name) => methodMeta(name)?.result !== 'void'))
    .chain((name) => arbitraryValue(methodMeta(name)?.result ?? '', 1).map((result) => ({ name, result })));
  fc.assert(
    fc.property(answer, ({ name, result }) => {
      expect(decodeResponse(name, encodeResponse(name, result as MethodResult<typeof name>))).toEqual(result);
    }),
    { numRuns: 200 },
  );
});
