/** A property of a data or managed type, or a parameter of a method, with its wire type. */
export interface ModelProperty {
  readonly name: string;
  /** Wire type: `string`, `int`, …, a data type, an enum, or `@Managed` for a reference; `[]` at the end for a list. */
  readonly type: string;
  readonly optional: boolean;
  /** First API version that has it. */
  readonly since: string;
  /** Privilege needed to read it (managed properties), when the tables name one. */
  readonly privilege?: string;
}

/** A data type: its base and own properties in wire order. */
export interface ModelDataType {
  readonly name: string;
  readonly base: string;
  readonly since: string;
  readonly properties: readonly ModelProperty[];
}

/** An enumeration and its values. */
export interface ModelEnum {
  readonly name: string;
  readonly since: string;
  readonly values: readonly string[];
}

/** A method of a managed type. */
export interface ModelMethod {
  readonly name: string;
  readonly owner: string;
  readonly since: string;
  readonly parameters: readonly ModelProperty[];
  /** What the call itself returns; `void` when nothing. */
  readonly result: string;
  readonly resultOptional: boolean;
  /** What the task it starts ends with; absent when it starts none. */
  readonly taskResult?: string;
  readonly privilege: string;
  readonly faults: readonly string[];
}

/** A managed type: its base, own properties and own methods. */
export interface ModelManagedType {
  readonly name: string;
  readonly base: string;
  readonly since: string;
  readonly properties: readonly ModelProperty[];
  readonly methods: readonly ModelMethod[];
}

/** Everything the tables describe, by wire name. */
export interface Model {
  readonly versions: readonly string[];
  readonly dataTypes: ReadonlyMap<string, ModelDataType>;
  readonly enums: ReadonlyMap<string, ModelEnum>;
  readonly managedTypes: ReadonlyMap<string, ModelManagedType>;
}

/** The wire type of a list's items; the type itself when it is not a list. */
export function itemType(type: string): string {
  return type.endsWith('[]') ? type.slice(0, -2) : type;
}
