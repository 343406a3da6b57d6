import type { Closure } from './closure.ts';
import { itemType, type ModelDataType, type ModelManagedType, type ModelMethod, type ModelProperty } from './model.ts';

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'boolean',
  byte: 'number',
  short: 'number',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  dateTime: 'Date',
  binary: 'Uint8Array',
  anyType: 'AnyValue',
  void: 'undefined',
};
/** Names that are written by hand beside the generated files. */
const VALUES = ['AnyValue', 'ManagedObjectReference'];
/** Members newer than this say so; older ones every supported server has. */
const OLDEST_SUPPORTED = '6.0';

/** Emits the TypeScript types, by file name. */
export function emitTypes(closure: Closure): ReadonlyMap<string, string> {
  return new TypeEmitter(closure).emit();
}

class TypeEmitter {
  readonly #closure: Closure;
  /** Which file defines a name. */
  readonly #home = new Map<string, string>();

  constructor(closure: Closure) {
    this.#closure = closure;
  }

  emit(): Map<string, string> {
    const { dataTypes, enums, managedTypes } = this.#closure;
    for (const type of dataTypes) this.#place(type.name, this.#fileOf(type));
    for (const type of enums) this.#place(type.name, 'enums.ts');
    for (const type of managedTypes) this.#place(referenceName(type.name), 'references.ts');
    for (const type of managedTypes) this.#place(objectName(type.name), 'managed-types.ts');
    const files = new Map<string, string>();
    for (const [file, types] of Map.groupBy(dataTypes, (type) => this.#fileOf(type))) {
      files.set(file, this.#withImports(file, types.map((type) => this.#dataType(type)).join('\n')));
    }
    files.set('enums.ts', enums.map((type) => this.#enum(type.name, type.values)).join('\n'));
    files.set('references.ts', this.#withImports('references.ts', this.#references()));
    files.set('managed-types.ts', this.#withImports('managed-types.ts', this.#managedTypes()));
    files.set('methods.ts', this.#withImports('methods.ts', this.#methods()));
    files.set('names.ts', this.#withImports('names.ts', this.#names()));
    files.set('index.ts', [...files.keys()].map((file) => `export type * from './${file}';\n`).join(''));
    return files;
  }

  #place(name: string, file: string): void {
    if (this.#home.has(name)) throw new Error(`Two generated types are named ${name}`);
    this.#home.set(name, file);
  }

  #fileOf(type: ModelDataType): string {
    if (this.#isA(type, 'MethodFault')) return 'faults.ts';
    if (this.#isA(type, 'Event')) return 'events.ts';
    return type.name < 'HostV' ? 'data-types-a.ts' : 'data-types-h.ts';
  }

  #isA(type: ModelDataType, name: string): boolean {
    if (type.name === name) return true;
    const base = this.#closure.dataTypes.find((candidate) => candidate.name === type.base);
    return base !== undefined && this.#isA(base, name);
  }

  #withImports(file: string, body: string): string {
    const words = new Set(body.match(/\b[A-Za-z_]\w*\b/g));
    const byFile = Map.groupBy(
      [...words].filter((word) => (this.#home.get(word) ?? file) !== file).sort(),
      (word) => this.#home.get(word) ?? file,
    );
    const lines = [...byFile]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([from, names]) => `import type { ${names.join(', ')} } from './${from}';`);
    const values = VALUES.filter((name) => words.has(name));
    if (values.length > 0) lines.unshift(`import type { ${values.join(', ')} } from '../values.ts';`);
    return `${lines.join('\n')}\n\n${body}`;
  }

  #type(declared: string): string {
    if (declared.endsWith('[]')) return `readonly ${this.#type(itemType(declared))}[]`;
    if (declared.startsWith('@')) return referenceName(declared.slice(1));
    return PRIMITIVES[declared] ?? declared;
  }

  #member(property: ModelProperty): string {
    const optional = property.optional;
    const type = `${this.#type(property.type)}${optional ? ' | undefined' : ''}`;
    const { versions } = this.#closure;
    const isNew = versions.indexOf(property.since) > versions.indexOf(OLDEST_SUPPORTED);
    const comment = isNew ? ` // since ${property.since}` : '';
    return `  ${property.name}${optional ? '?' : ''}: ${type};${comment}\n`;
  }

  #dataType(type: ModelDataType): string {
    const own = type.properties.map((property) => this.#member(property)).join('');
    // Only a root declares the name of its type; all others inherit it.
    const head =
      type.base === '' ? `  /** Which type this is; needed where a base type is declared. */\n  $type?: string;\n` : '';
    const base = type.base === '' ? '' : ` extends ${type.base}`;
    return `/** Data object \`${type.name}\`. */\nexport interface ${type.name}${base} {\n${head}${own}}\n`;
  }

  #enum(name: string, values: readonly string[]): string {
    const alternatives = values.map((value) => JSON.stringify(value)).join(' | ');
    return `/** Enumeration \`${name}\`; newer servers may send values that are not listed. */\nexport type ${name} = ${alternatives};\n`;
  }

  #references(): string {
    const types = this.#closure.managedTypes;
    const family = (name: string): string[] => [
      name,
      ...types.filter((type) => type.base === name).flatMap((type) => family(type.name)),
    ];
    return types
      .map(({ name }) => {
        const alternatives =
          name === 'ManagedObject'
            ? 'string'
            : family(name)
                .map((it) => `'${it}'`)
                .join(' | ');
        return `/** Reference to a \`${name}\`. */\nexport type ${referenceName(name)} = ManagedObjectReference<${alternatives}>;\n`;
      })
      .join('\n');
  }

  #managedTypes(): string {
    return this.#closure.managedTypes.map((type) => this.#managedType(type)).join('\n');
  }

  #managedType(type: ModelManagedType): string {
    const base = type.base === '' ? '' : ` extends ${objectName(type.base)}`;
    const own = type.properties.map((property) => this.#member(property)).join('');
    return `/** Properties of the managed object \`${type.name}\`. */\nexport interface ${objectName(type.name)}${base} {\n${own}}\n`;
  }

  #methods(): string {
    const methods = this.#closure.managedTypes
      .flatMap((type) => type.methods)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const lines = methods.map((method) => this.#method(method)).join('');
    return `/** Every method: whose it is, its arguments, its result and that of the task it starts. */\nexport interface Methods {\n${lines}}\n`;
  }

  #method(method: ModelMethod): string {
    const parameters = method.parameters.map((parameter) =>
      this.#member(parameter)
        .replace(/( \/\/.*)?\n$/, '')
        .trim(),
    );
    const args = parameters.length === 0 ? 'Record<never, never>' : `{ ${parameters.join(' ')} }`;
    const optional = method.resultOptional && !method.result.endsWith('[]');
    const result = `${this.#type(method.result)}${optional ? ' | undefined' : ''}`;
    const taskResult = method.taskResult === undefined ? 'never' : this.#type(method.taskResult);
    return `  ${method.name}: { owner: '${method.owner}'; args: ${args}; result: ${result}; taskResult: ${taskResult} };\n`;
  }

  #names(): string {
    const entries = (names: readonly string[], value: (name: string) => string): string =>
      names.map((name) => `  ${name}: ${value(name)};\n`).join('');
    const data = entries(
      this.#closure.dataTypes.map((type) => type.name),
      (name) => name,
    );
    const managed = entries(
      this.#closure.managedTypes.map((type) => type.name),
      objectName,
    );
    return [
      `/** Data objects by name. */\nexport interface DataTypes {\n${data}}\n`,
      `/** Properties of managed objects by type name. */\nexport interface ManagedTypes {\n${managed}}\n`,
      `/** The name of a data object type. */\nexport type DataTypeName = keyof DataTypes;\n`,
      `/** The name of a managed object type. */\nexport type ManagedTypeName = keyof ManagedTypes;\n`,
    ].join('\n');
  }
}

function referenceName(name: string): string {
  return `${name}Ref`;
}

function objectName(name: string): string {
  return `${name}Object`;
}
