/** Names a managed object; `T` is the managed type, or the types it may be. */
export interface ManagedObjectReference<T extends string = string> {
  readonly type: T;
  readonly value: string;
}

/**
 * A value whose wire type is stated, for `anyType` places where JavaScript's own types cannot say it:
 * an `xsd:long`, an enumeration, or a list.
 *
 * `type` is a wire type as {@link PropertyMeta} gives it: `long`, `VirtualMachinePowerState`, `VirtualDevice[]`,
 * `@Datastore[]`. Decoding gives the plain value back, without this wrapper.
 */
export class TypedValue {
  readonly type: string;
  readonly value: unknown;

  constructor(type: string, value: unknown) {
    this.type = type;
    this.value = value;
  }
}

/** A data object that names its own type. */
export interface TypedData {
  readonly $type?: string;
}

/**
 * What an `anyType` holds.
 *
 * Text, truth, dates, binary data, references and data objects with a `$type` say their wire type themselves. An
 * integer travels as `xsd:int` or, when it needs more than 32 bits, as `xsd:long`; other numbers as `xsd:double`;
 * a list of the same kind of values as `ArrayOf…`. Use {@link TypedValue} for everything else.
 */
export type AnyValue =
  | string
  | number
  | boolean
  | Date
  | Uint8Array
  | ManagedObjectReference
  | TypedData
  | TypedValue
  | readonly AnyValue[];

/** Whether a value is a reference to a managed object. */
export function isReference(value: unknown): value is ManagedObjectReference {
  return (
    typeof value === 'object' &&
    value !== null &&
    !('$type' in value) &&
    'type' in value &&
    'value' in value &&
    !(value instanceof TypedValue) &&
    typeof value.type === 'string' &&
    typeof value.value === 'string'
  );
}

/** A reference to a managed object. */
export function reference<const T extends string>(type: T, value: string): ManagedObjectReference<T> {
  return { type, value };
}

/** Whether two references name the same object. */
export function sameReference(a: ManagedObjectReference, b: ManagedObjectReference): boolean {
  return a.type === b.type && a.value === b.value;
}
