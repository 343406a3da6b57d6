import type { DataTypeName, ManagedTypeName, Methods } from './generated/index.ts';
import { DATA_TYPES } from './generated/metadata-data-types.ts';
import { ENUMS, MANAGED_TYPES, METHODS, VERSIONS } from './generated/metadata-services.ts';

/** An API version that the metadata knows, such as `6.7.1`. */
export type ApiVersion = (typeof VERSIONS)[number];

/** The name of a method. */
export type MethodName = keyof Methods;

/** A property of a data or managed type, or a parameter of a method. */
export interface PropertyMeta {
  readonly name: string;
  /**
   * Wire type: `string`, `boolean`, `byte`, `short`, `int`, `long`, `float`, `double`, `dateTime`, `binary`,
   * `anyType`, the name of a data type or enumeration, or `@` and the name of a managed type for a reference; with
   * `[]` at the end for a list.
   */
  readonly type: string;
  /** The wire type of the list's items, or the type itself. */
  readonly itemType: string;
  readonly isList: boolean;
  readonly optional: boolean;
  readonly since: ApiVersion;
  /** What one needs to read it, where the tables name a privilege; else empty. */
  readonly privilege: string;
}

/** A data type. */
export interface DataTypeMeta {
  readonly name: DataTypeName;
  readonly base: string | undefined;
  readonly since: ApiVersion;
  /** All properties, those of base types first: the wire order. */
  readonly properties: readonly PropertyMeta[];
  readonly byName: ReadonlyMap<string, PropertyMeta>;
}

/** An enumeration. */
export interface EnumMeta {
  readonly name: string;
  readonly since: ApiVersion;
  readonly values: ReadonlySet<string>;
}

/** A managed type. */
export interface ManagedTypeMeta {
  readonly name: ManagedTypeName;
  readonly base: string | undefined;
  readonly since: ApiVersion;
  /** All properties, those of base types first. */
  readonly properties: readonly PropertyMeta[];
  readonly byName: ReadonlyMap<string, PropertyMeta>;
}

/** A method. */
export interface MethodMeta {
  readonly name: MethodName;
  /** The managed type that has it; subtypes inherit it. */
  readonly owner: ManagedTypeName;
  readonly since: ApiVersion;
  /** What the caller needs on the receiver; empty when the tables name none. */
  readonly privilege: string;
  readonly parameters: readonly PropertyMeta[];
  /** Wire type of the result; `void` when there is none. */
  readonly result: string;
  readonly resultOptional: boolean;
  /** Wire type of what the task ends with; `undefined` when the method starts no task. */
  readonly taskResult: string | undefined;
  readonly faults: readonly string[];
}

/** The API versions the metadata knows, oldest first. */
export const KNOWN_VERSIONS: readonly ApiVersion[] = VERSIONS;

/** The newest API version the metadata knows. */
export const NEWEST_VERSION: ApiVersion = '6.7.1';

const dataTypes = table(DATA_TYPES, parseDataType);
const enums = table(ENUMS, parseEnum);
const managedTypes = table(MANAGED_TYPES, parseManagedType);
const methods = table(METHODS, parseMethod);

/** The data type of this name. */
export function dataTypeMeta(name: string): DataTypeMeta | undefined {
  return dataTypes.get(name);
}

/** The enumeration of this name. */
export function enumMeta(name: string): EnumMeta | undefined {
  return enums.get(name);
}

/** The managed type of this name. */
export function managedTypeMeta(name: string): ManagedTypeMeta | undefined {
  return managedTypes.get(name);
}

/** The method of this name. */
export function methodMeta(name: string): MethodMeta | undefined {
  return methods.get(name);
}

/** Names of all data types. */
export function dataTypeNames(): readonly string[] {
  return dataTypes.names;
}

/** Names of all methods. */
export function methodNames(): readonly string[] {
  return methods.names;
}

/** Names of all managed types. */
export function managedTypeNames(): readonly string[] {
  return managedTypes.names;
}

/** Whether the data type `name` is `base` or derives from it. */
export function isDataSubtype(name: string, base: string): boolean {
  return inherits(name, base, (type) => dataTypes.get(type)?.base);
}

/** Whether the managed type `name` is `base` or derives from it. */
export function isManagedSubtype(name: string, base: string): boolean {
  return base === 'ManagedObject' || inherits(name, base, (type) => managedTypes.get(type)?.base);
}

/** Negative, zero or positive as `a` is an older, the same or a newer version than `b`. */
export function compareVersions(a: ApiVersion, b: ApiVersion): number {
  return VERSIONS.indexOf(a) - VERSIONS.indexOf(b);
}

/** The version itself when the metadata knows it. */
export function knownVersion(version: string | undefined): ApiVersion | undefined {
  return VERSIONS.find((known) => known === version);
}

function inherits(name: string, base: string, baseOf: (name: string) => string | undefined): boolean {
  for (let type: string | undefined = name; type !== undefined; type = baseOf(type)) if (type === base) return true;
  return false;
}

/** A table whose lines are parsed when they are first asked for: most programs use a tenth of the types. */
function table<T>(
  lines: string,
  parse: (fields: readonly string[]) => T,
): { get(name: string): T | undefined; names: readonly string[] } {
  const unparsed = new Map<string, string>();
  for (const line of lines.trim().split('\n')) unparsed.set(line.slice(0, line.indexOf('|')), line);
  const parsed = new Map<string, T>();
  const get = (name: string): T | undefined => {
    const known = parsed.get(name);
    if (known !== undefined) return known;
    const line = unparsed.get(name);
    if (line === undefined) return undefined;
    const value = parse(line.split('|'));
    parsed.set(name, value);
    return value;
  };
  return { get, names: [...unparsed.keys()] };
}

function parseDataType([name = '', base = '', since = '', members = '']: readonly string[]): DataTypeMeta {
  const inherited = base === '' ? [] : (dataTypes.get(base)?.properties ?? []);
  const properties = [...inherited, ...parseMembers(members)];
  return {
    name: name as DataTypeName,
    base: base === '' ? undefined : base,
    since: versionAt(since),
    properties,
    byName: new Map(properties.map((property) => [property.name, property])),
  };
}

function parseEnum([name = '', since = '', values = '']: readonly string[]): EnumMeta {
  return { name, since: versionAt(since), values: new Set(values.split(',')) };
}

function parseManagedType([name = '', base = '', since = '', members = '']: readonly string[]): ManagedTypeMeta {
  const inherited = base === '' ? [] : (managedTypes.get(base)?.properties ?? []);
  const properties = [...inherited, ...parseMembers(members)];
  return {
    name: name as ManagedTypeName,
    base: base === '' ? undefined : base,
    since: versionAt(since),
    properties,
    byName: new Map(properties.map((property) => [property.name, property])),
  };
}

function parseMethod(fields: readonly string[]): MethodMeta {
  const [name = '', owner = '', since = '', privilege = '', result = '', taskResult = '', members = '', faults = ''] =
    fields;
  return {
    name: name as MethodName,
    owner: owner as ManagedTypeName,
    since: versionAt(since),
    privilege,
    parameters: parseMembers(members),
    result: result.replace('?', ''),
    resultOptional: result.endsWith('?'),
    taskResult: taskResult === '' ? undefined : taskResult,
    faults: faults === '' ? [] : faults.split(','),
  };
}

function parseMembers(members: string): PropertyMeta[] {
  if (members === '') return [];
  return members.split(';').map((member) => {
    const [name = '', type = '', since = '', privilege = ''] = member.split(' ');
    const isList = type.endsWith('[]');
    return {
      name: name.replace('?', ''),
      type,
      itemType: isList ? type.slice(0, -2) : type,
      isList,
      optional: name.endsWith('?'),
      since: versionAt(since),
      privilege,
    };
  });
}

function versionAt(index: string): ApiVersion {
  return VERSIONS[Number.parseInt(index, 36)] ?? NEWEST_VERSION;
}
