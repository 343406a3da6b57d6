import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Model, ModelDataType, ModelEnum, ModelManagedType, ModelMethod, ModelProperty } from './model.ts';
import { readCalls, type PythonCall, type PythonLiteral } from './python-literals.ts';

const FLAG = { F_LINK: 1, F_LINKABLE: 2, F_OPTIONAL: 4, F_SECRET: 8 } as const;
const FILES = ['CoreTypes.py', 'QueryTypes.py', 'ServerObjects.py'];
const CALLS = ['AddVersion', 'AddVersionParent', 'CreateDataType', 'CreateEnumType', 'CreateManagedType'];
const FIRST_VERSION = '2.0';
const LEGACY = 'vim.version.legacy';

/** Names of the tables that are plain values on the wire. */
const SIMPLE: Readonly<Record<string, string>> = {
  'vmodl.TypeName': 'string',
  'vmodl.MethodName': 'string',
  'vmodl.PropertyPath': 'string',
  'vmodl.URI': 'string',
  'vmodl.DateTime': 'dateTime',
  'vmodl.Binary': 'binary',
  'vmodl.DataObject': 'DynamicData',
  'vmodl.ManagedObject': '@ManagedObject',
};
const PRIMITIVES = new Set(['string', 'boolean', 'byte', 'short', 'int', 'long', 'float', 'double', 'anyType', 'void']);

/** Reads the metadata tables of an installed pyVmomi. */
export async function readTables(directory: string): Promise<Model> {
  const calls: PythonCall[] = [];
  for (const file of FILES) calls.push(...readCalls(await readFile(join(directory, file), 'utf8'), CALLS, FLAG));
  return new TableReader(calls).read();
}

class TableReader {
  readonly #calls: readonly PythonCall[];
  readonly #wireNames = new Map<string, { name: string; kind: string }>();
  readonly #since = new Map<string, string>();
  #faults: ReadonlySet<string> = new Set();

  constructor(calls: readonly PythonCall[]) {
    // Reflection is another service; what is of version `legacy` only is in no API version that is still spoken.
    this.#calls = calls.filter(
      ({ name, args }) =>
        !String(args[0]).startsWith('vmodl.reflect.') &&
        !(name.startsWith('Create') && args[name === 'CreateEnumType' ? 2 : 3] === LEGACY),
    );
  }

  read(): Model {
    const versions = this.#readVersions();
    this.#indexNames();
    this.#faults = this.#findFaults();
    const dataTypes = new Map<string, ModelDataType>(BUILT_IN.map((type) => [type.name, type]));
    for (const { args } of this.#named('CreateDataType')) {
      const type = this.#dataType(args);
      if (!dataTypes.has(type.name)) dataTypes.set(type.name, type);
    }
    const enums = new Map<string, ModelEnum>();
    for (const { args } of this.#named('CreateEnumType')) {
      const [, name, version, values] = args;
      enums.set(text(name), { name: text(name), since: this.#sinceOf(version), values: list(values).map(text) });
    }
    const managedTypes = new Map<string, ModelManagedType>([['ManagedObject', MANAGED_OBJECT]]);
    for (const { args } of this.#named('CreateManagedType')) {
      const type = this.#managedType(args);
      managedTypes.set(type.name, type);
    }
    return { versions, dataTypes, enums, managedTypes };
  }

  #named(name: string): readonly PythonCall[] {
    return this.#calls.filter((call) => call.name === name);
  }

  #readVersions(): string[] {
    const names = new Map<string, string>();
    for (const { args } of this.#named('AddVersion')) {
      const [version, , name] = args;
      if (text(version).startsWith('vim.version.version')) names.set(text(version), text(name));
    }
    const ordered = [...names].sort(([, a], [, b]) => a.localeCompare(b, 'en', { numeric: true }));
    const parents = this.#named('AddVersionParent').map(({ args }) => args.map(text));
    for (const [version, name] of ordered) {
      for (const [child, parent] of parents) {
        if (child === version && parent !== undefined && !this.#since.has(parent)) this.#since.set(parent, name);
      }
    }
    return ordered.map(([, name]) => name);
  }

  #sinceOf(version: PythonLiteral | undefined): string {
    return this.#since.get(text(version)) ?? FIRST_VERSION;
  }

  #indexNames(): void {
    for (const { name, args } of this.#calls) {
      if (name.startsWith('Create')) this.#wireNames.set(text(args[0]), { name: text(args[1]), kind: name });
    }
  }

  #findFaults(): Set<string> {
    const faults = new Set(['vmodl.MethodFault', 'vmodl.RuntimeFault']);
    for (let before = 0; before !== faults.size;) {
      before = faults.size;
      for (const { args } of this.#named('CreateDataType')) if (faults.has(text(args[2]))) faults.add(text(args[0]));
    }
    return faults;
  }

  /** The wire type of a declared one: faults travel wrapped, links travel as the key of what they point to. */
  #wireType(declared: string, flags: number): string {
    if (declared.endsWith('[]')) return `${this.#wireType(declared.slice(0, -2), flags)}[]`;
    if (this.#faults.has(declared)) return 'LocalizedMethodFault';
    const simple = PRIMITIVES.has(declared) ? declared : SIMPLE[declared];
    if (simple !== undefined) return simple;
    if ((flags & FLAG.F_LINK) !== 0) return 'string';
    return this.#typeName(declared);
  }

  #typeName(declared: string): string {
    if (declared === 'vmodl.DataObject') return '';
    if (declared === 'vmodl.ManagedObject') return 'ManagedObject';
    if (declared === 'vmodl.MethodFault' || declared === 'vmodl.RuntimeFault') return declared.slice('vmodl.'.length);
    const known = this.#wireNames.get(declared);
    // Some tables name types of other services; reaching one is an error of the closure, not of the reading.
    if (known === undefined) return `?${declared}`;
    return known.kind === 'CreateManagedType' ? `@${known.name}` : known.name;
  }

  #property(entry: PythonLiteral): ModelProperty {
    const [name, declared, version, flags, privilege] = list(entry);
    return {
      name: text(name),
      type: this.#wireType(text(declared), Number(flags)),
      optional: (Number(flags) & FLAG.F_OPTIONAL) !== 0,
      since: this.#sinceOf(version),
      ...(typeof privilege === 'string' ? { privilege } : {}),
    };
  }

  #dataType(args: readonly PythonLiteral[]): ModelDataType {
    const [, name, base, version, properties] = args;
    return {
      name: text(name),
      base: this.#typeName(text(base)),
      since: this.#sinceOf(version),
      properties: current(properties).map((property) => this.#property(property)),
    };
  }

  #managedType(args: readonly PythonLiteral[]): ModelManagedType {
    const [, name, base, version, properties, methods] = args;
    return {
      name: text(name),
      base: this.#typeName(text(base)).replace('@', ''),
      since: this.#sinceOf(version),
      properties: current(properties).map((property) => this.#property(property)),
      methods: current(methods).map((method) => this.#method(text(name), list(method))),
    };
  }

  #method(owner: string, entry: readonly PythonLiteral[]): ModelMethod {
    const [, name, version, parameters, result, privilege, faults] = entry;
    const [flags, declared, final] = list(result);
    const startsTask = declared === 'vim.Task' && text(name).endsWith('_Task');
    return {
      name: text(name),
      owner,
      since: this.#sinceOf(version),
      parameters: current(parameters).map((parameter) => this.#property(parameter)),
      result: this.#wireType(text(declared), 0),
      resultOptional: (Number(flags) & FLAG.F_OPTIONAL) !== 0 && !startsTask,
      ...(startsTask ? { taskResult: this.#wireType(text(final), 0) } : {}),
      privilege: typeof privilege === 'string' ? privilege : '',
      faults: list(faults).map((fault) => this.#typeName(text(fault))),
    };
  }
}

/** Types that every implementation has built in and the tables leave out. */
const BUILT_IN: readonly ModelDataType[] = [
  {
    name: 'MethodFault',
    base: '',
    since: FIRST_VERSION,
    properties: [
      { name: 'faultCause', type: 'LocalizedMethodFault', optional: true, since: '4.0' },
      { name: 'faultMessage', type: 'LocalizableMessage[]', optional: true, since: '4.0' },
    ],
  },
  { name: 'RuntimeFault', base: 'MethodFault', since: FIRST_VERSION, properties: [] },
  {
    name: 'LocalizedMethodFault',
    base: 'DynamicData',
    since: FIRST_VERSION,
    properties: [
      { name: 'fault', type: 'MethodFault', optional: false, since: FIRST_VERSION },
      { name: 'localizedMessage', type: 'string', optional: true, since: FIRST_VERSION },
    ],
  },
];

/** The root of all managed types; `Fetch` is undocumented, and pyVmomi reads every property with it. */
const MANAGED_OBJECT: ModelManagedType = {
  name: 'ManagedObject',
  base: '',
  since: FIRST_VERSION,
  properties: [],
  methods: [
    {
      name: 'Fetch',
      owner: 'ManagedObject',
      since: FIRST_VERSION,
      parameters: [{ name: 'prop', type: 'string', optional: false, since: FIRST_VERSION }],
      result: 'anyType',
      resultOptional: true,
      privilege: 'System.Anonymous',
      faults: ['InvalidProperty'],
    },
  ],
};

function text(value: PythonLiteral | undefined): string {
  if (typeof value !== 'string') throw new Error(`Expected text, found ${JSON.stringify(value)}`);
  return value;
}

/** The entries of a list of members, each with its version third, without legacy ones. */
function current(members: PythonLiteral | undefined): readonly PythonLiteral[] {
  return list(members).filter((member) => list(member)[2] !== LEGACY);
}

function list(value: PythonLiteral | undefined): readonly PythonLiteral[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'string' || typeof value === 'number') throw new Error(`Expected a list, found ${value}`);
  return value;
}
