import { VicError } from '@vic/errors';
import { isManagedSubtype, type ManagedObjectReference, type ManagedTypeName } from '@vic/vim';
import type { CallOptions } from './connection.ts';
import { properties } from './property-collector.ts';
import { requireManager } from './service-managers.ts';
import type { VimCaller } from './vim-client.ts';

/** Longer chains of parents are a loop. */
const MAX_DEPTH = 64;

/**
 * The object at an inventory path such as `/ha-datacenter/vm/web`, `undefined` when there is none.
 *
 * A slash in a name is written `%2f`, as the inventory itself writes it.
 */
export async function findByPath(
  client: VimCaller,
  path: string,
  options: CallOptions = {},
): Promise<ManagedObjectReference | undefined> {
  const index = requireManager(client, 'searchIndex');
  // The root folder's own name is not part of inventory paths.
  const inventoryPath = path.replace(/^\/+/, '');
  if (inventoryPath === '') return client.content.rootFolder;
  return client.call(index, 'FindByInventoryPath', { inventoryPath }, options);
}

/** The object of this type at an inventory path, or a `NotFound` error. */
export async function requireByPath<const T extends ManagedTypeName>(
  client: VimCaller,
  type: T,
  path: string,
  options: CallOptions = {},
): Promise<ManagedObjectReference<T>> {
  const found = await findByPath(client, path, options);
  if (found !== undefined && isManagedSubtype(found.type, type)) return found as ManagedObjectReference<T>;
  const instead = found === undefined ? 'nothing' : `a ${found.type}`;
  throw new VicError({
    class: 'NotFound',
    code: 'VIM_PATH_NOT_FOUND',
    message: `There is no ${type} at ${path} in the inventory of ${client.content.about.fullName}; there is ${instead}.`,
  });
}

/** The inventory path of an entity, without the root folder: `/ha-datacenter/vm/web`. */
export async function inventoryPath(
  client: VimCaller,
  entity: ManagedObjectReference,
  options: CallOptions = {},
): Promise<string> {
  const names: string[] = [];
  let current = entity as ManagedObjectReference<'ManagedEntity'> | undefined;
  for (let depth = 0; current !== undefined && depth < MAX_DEPTH; depth++) {
    if (current.value === client.content.rootFolder.value) break;
    const found: { name?: string; parent?: ManagedObjectReference | undefined } = await properties(
      client,
      current,
      ['name', 'parent'],
      options,
    );
    names.unshift(found.name ?? current.value);
    current = found.parent as ManagedObjectReference<'ManagedEntity'> | undefined;
  }
  return `/${names.join('/')}`;
}
