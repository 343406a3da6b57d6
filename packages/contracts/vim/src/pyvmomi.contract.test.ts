import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dataTypeMeta,
  dataTypeNames,
  decodeElement,
  encodeElement,
  isDataSubtype,
  NAMESPACE,
  readXml,
  RESPONSE_LIMITS,
} from './index.ts';
import { arbitraryObject } from './testing/index.ts';

const ECHO = join(import.meta.dirname, 'testing/pyvmomi-echo.py');
const PYTHON = '/usr/bin/python3';
/** Of methods nobody documented: the tables, and so pyVmomi, do not have them. */
const UNKNOWN_TO_PYVMOMI = ['VirtualDiskInfo', 'VirtualDiskManagerDiskUnit'];
const isInstalled = existsSync('/usr/lib/python3/dist-packages/pyVmomi');

describe.skipIf(!isInstalled)('pyVmomi, a codec that nobody here wrote (apt-get install python3-pyvmomi)', () => {
  it.each([1, 2, 3])('reads our objects of every type, and we read the same from it (seed %i)', async (seed) => {
    // Faults that stand alone it treats specially; those inside other objects are compared.
    const isFault = (name: string): boolean => isDataSubtype(name, 'MethodFault') || name === 'LocalizedMethodFault';
    const names = dataTypeNames().filter((name) => !isFault(name) && !UNKNOWN_TO_PYVMOMI.includes(name));
    const objects = names
      .map((name) => agreeable(fc.sample(arbitraryObject(name, 2), { numRuns: 1, seed })[0]))
      .filter((object) => !hasEmptyList(object));
    expect(objects.length).toBeGreaterThan(1300);
    const echoes = await echo(objects.map(toXml));
    const read = echoes.map(({ xml, error }) => (xml === undefined ? error : fromXml(xml)));
    const differing = objects.flatMap((sent, index) => {
      const got = read[index];
      return isDeepStrictEqual(got, sent) ? [] : [{ sent, got }];
    });
    expect(differing).toEqual([]);
  });
});

/**
 * The value without what pyVmomi cannot carry: carriage returns, which it writes unescaped, and names of types
 * and methods that do not exist, which it looks up.
 */
function agreeable(value: unknown, mayNameType = false): unknown {
  if (typeof value === 'string') return mayNameType ? 'VirtualMachine' : value.replaceAll('\r', ' ');
  if (Array.isArray(value)) return value.map((item) => agreeable(item, mayNameType));
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  const members = '$type' in value ? dataTypeMeta(String(value.$type))?.byName : undefined;
  const entries = Object.entries(value).map(([name, member]) => {
    if (name === 'name' && '$type' in value && value.$type === 'TaskInfo') return [name, 'CreateVM_Task'];
    const isText = members?.get(name)?.itemType === 'string';
    return [name, agreeable(member, isText && /(type|key|card|controller|list)$/i.test(name))];
  });
  return Object.fromEntries(entries);
}

/** A required list that is empty, where generation stopped; pyVmomi refuses those. */
function hasEmptyList(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0 || value.some(hasEmptyList);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasEmptyList);
}

function toXml(object: unknown): string {
  const scope = `xmlns="${NAMESPACE.vim}" xmlns:xsi="${NAMESPACE.xsi}" xmlns:xsd="${NAMESPACE.xsd}"`;
  return encodeElement('object', 'anyType', object).replace('<object', `<object ${scope}`);
}

function fromXml(xml: string): unknown {
  return decodeElement(readXml(xml, RESPONSE_LIMITS), 'anyType', { mode: 'strict' });
}

interface Echo {
  readonly xml?: string;
  readonly error?: string;
}

async function echo(messages: readonly string[]): Promise<readonly Echo[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(PYTHON, [ECHO], { maxBuffer: 2 ** 28 }, (error, stdout) =>
    error === null ? resolve(stdout) : reject(error),
  );
  child.stdin?.end(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  return (await promise)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Echo);
}
