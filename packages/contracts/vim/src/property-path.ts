import { dataTypeMeta, managedTypeMeta, type PropertyMeta } from './metadata.ts';

/** One step of a property path: a property, and the key of an item when it is a list. */
export interface PathStep {
  readonly name: string;
  readonly key?: string | number;
}

const STEP = /([A-Za-z_]\w*)(?:\[(?:"([^"]*)"|(-?\d+)|([^\]"]+))\])?(\.|$)/y;

/** Takes a path such as `config.extraConfig["guestinfo.id"].value` apart; `undefined` when it is malformed. */
export function parsePropertyPath(path: string): readonly PathStep[] | undefined {
  const steps: PathStep[] = [];
  for (let position = 0; position < path.length;) {
    STEP.lastIndex = position;
    const match = STEP.exec(path);
    if (match === null) return undefined;
    const [whole, name = '', quoted, number, bare, end] = match;
    const key = quoted ?? (number === undefined ? bare : Number(number));
    steps.push(key === undefined ? { name } : { name, key });
    position += whole.length;
    if (end === '.' && position === path.length) return undefined;
  }
  return steps.length === 0 ? undefined : steps;
}

/**
 * The declared type of a path of a managed type, `undefined` when there is no such property.
 *
 * A step below a value of a derived type (`…device[4000].macAddress`) is not known from
 * declarations: a server looks such a step up by the `$type` of the value that it holds.
 */
export function propertyAt(managedType: string, path: string): PropertyMeta | undefined {
  const [first, ...rest] = parsePropertyPath(path) ?? [];
  if (first === undefined) return undefined;
  let property = managedTypeMeta(managedType)?.byName.get(first.name);
  let step = first;
  for (const next of rest) {
    if (property === undefined || (property.isList && step.key === undefined)) return undefined;
    property = dataTypeMeta(property.itemType)?.byName.get(next.name);
    step = next;
  }
  if (property === undefined || step.key === undefined) return property;
  return property.isList ? { ...property, type: property.itemType, isList: false } : undefined;
}
