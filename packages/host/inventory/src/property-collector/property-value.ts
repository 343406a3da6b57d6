import {
  type LocalizedMethodFault,
  type PropertyMeta,
  TypedValue,
  VimFault,
  dataTypeMeta,
  make,
  managedTypeMeta,
  parsePropertyPath,
  propertyAt,
} from '@vic/vim';
import type { ManagedObject } from '../model/managed-object.ts';
import type { Session } from '../server/sessions.ts';

/** What a property path of an object leads to. */
export type PropertyValue =
  | { readonly kind: 'set'; readonly type: string; readonly value: unknown }
  | { readonly kind: 'unset' }
  | { readonly kind: 'invalid' };

const UNSET: PropertyValue = { kind: 'unset' };
const INVALID: PropertyValue = { kind: 'invalid' };

/** The name of the top-level property a path begins with. */
export function topLevelOf(path: string): string {
  return /^\w+/.exec(path)?.[0] ?? '';
}

/** Throws InvalidProperty when objects of this type cannot have the path. */
export function requirePath(managedType: string, path: string): void {
  const steps = parsePropertyPath(path);
  const known = propertyAt(managedType, path) ?? managedTypeMeta(managedType)?.byName.get(steps?.[0]?.name ?? '');
  if (steps !== undefined && known !== undefined) return;
  throw new VimFault({
    fault: make('InvalidProperty', { name: path.slice(0, 200) }),
    message: `${managedType} has no property ${path.slice(0, 200)}.`,
  });
}

/** Follows a path, with keys of list items, into an object. */
export function propertyValue(object: ManagedObject, path: string, session: Session | undefined): PropertyValue {
  const [first, ...rest] = parsePropertyPath(path) ?? [];
  const declared = managedTypeMeta(object.ref.type)?.byName.get(first?.name ?? '');
  if (first === undefined || declared === undefined) return INVALID;
  let current = pick(declared, object.readFor(first.name, session), first.key);
  for (const step of rest) {
    if (current.kind !== 'set') return current;
    const property = memberOf(current.type, current.value, step.name);
    if (property === undefined) return INVALID;
    current = pick(property, (current.value as Record<string, unknown>)[step.name], step.key);
  }
  return current;
}

/** A value with its declared type, for the wire. */
export function onWire(value: { readonly type: string; readonly value: unknown }): TypedValue {
  return new TypedValue(value.type, value.value);
}

/** The fault that stands in for a property nobody knows. */
export function invalidProperty(path: string): LocalizedMethodFault {
  return { fault: make('InvalidProperty', { name: path }), localizedMessage: `There is no property ${path}.` };
}

function pick(property: PropertyMeta, value: unknown, key: string | number | undefined): PropertyValue {
  if (value === undefined || value === null) return key !== undefined && !property.isList ? INVALID : UNSET;
  if (key === undefined) return { kind: 'set', type: property.type, value };
  if (!property.isList || !Array.isArray(value)) return INVALID;
  const item: unknown = value.find((candidate: unknown) => hasKey(candidate, key));
  return item === undefined ? UNSET : { kind: 'set', type: property.itemType, value: item };
}

function hasKey(item: unknown, key: string | number): boolean {
  return typeof item === 'object' && item !== null && 'key' in item && String(item.key) === String(key);
}

function memberOf(type: string, value: unknown, name: string): PropertyMeta | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const actual = '$type' in value && typeof value.$type === 'string' ? value.$type : type;
  return dataTypeMeta(actual)?.byName.get(name);
}
