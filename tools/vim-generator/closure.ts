import { itemType, type Model, type ModelDataType, type ModelEnum, type ModelManagedType } from './model.ts';
import { ROOT_DATA_TYPES, ROOT_FAMILIES, ROOT_MANAGED_TYPES } from './roots.ts';

/** The part of the model that is generated. */
export interface Closure {
  readonly versions: readonly string[];
  readonly dataTypes: readonly ModelDataType[];
  readonly enums: readonly ModelEnum[];
  /** Every managed type, for references and base chains; members only of the roots. */
  readonly managedTypes: readonly ModelManagedType[];
}

/** Everything the root managed types, families and data types need, each list sorted by name. */
export function closureOf(model: Model): Closure {
  const subtypes = Map.groupBy(model.dataTypes.values(), (type) => type.base);
  const family = (name: string): string[] => [name, ...(subtypes.get(name) ?? []).flatMap((type) => family(type.name))];
  const managedTypes = [...model.managedTypes.values()].map((type) =>
    ROOT_MANAGED_TYPES.includes(type.name) ? type : { ...type, properties: [], methods: [] },
  );
  const pending = [...ROOT_FAMILIES.flatMap(family), ...ROOT_DATA_TYPES, ...managedTypes.flatMap(namesIn)];
  const reached = new Set<string>();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const name = itemType(next);
    if (name.startsWith('?')) throw new Error(`The closure reaches ${name.slice(1)}, which the tables do not define`);
    if (reached.has(name)) continue;
    reached.add(name);
    const type = model.dataTypes.get(name);
    if (type !== undefined) pending.push(type.base, ...type.properties.map((property) => property.type));
  }
  return {
    versions: model.versions,
    dataTypes: sorted(model.dataTypes.values(), (type) => reached.has(type.name)),
    enums: sorted(model.enums.values(), (type) => reached.has(type.name)),
    managedTypes: sorted(managedTypes, () => true),
  };
}

function namesIn(type: ModelManagedType): string[] {
  const ofMethods = type.methods.flatMap((method) => [
    method.result,
    method.taskResult ?? 'void',
    ...method.parameters.map((parameter) => parameter.type),
    ...method.faults,
  ]);
  return [...type.properties.map((property) => property.type), ...ofMethods];
}

function sorted<T extends { readonly name: string }>(items: Iterable<T>, keep: (item: T) => boolean): T[] {
  return [...items].filter(keep).sort((a, b) => (a.name < b.name ? -1 : 1));
}
