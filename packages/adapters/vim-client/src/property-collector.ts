import {
  make,
  VimFault,
  type ManagedEntityRef,
  type ManagedObjectReference,
  type ManagedTypeName,
  type ManagedTypes,
  type ObjectContent,
  type PropertyFilterSpec,
  type RetrieveResult,
} from '@vic/vim';
import { requireManager } from './service-managers.ts';
import type { VimCaller } from './vim-client.ts';
import type { CallOptions } from './connection.ts';

/** The type of a value at a dotted path; `unknown` where the path enters a list or a derived type. */
export type PathValue<T, P extends string> = P extends `${infer Head}.${infer Rest}`
  ? Head extends keyof T
    ? PathValue<NonNullable<T[Head]>, Rest>
    : unknown
  : P extends keyof T
    ? T[P]
    : unknown;

/** The properties of an object, by path; those that are not set are absent. */
export type PropertyMap<T extends string, P extends string> = {
  readonly [K in P]?: T extends ManagedTypeName ? PathValue<ManagedTypes[T], K> : unknown;
};

/** One object's properties. */
export interface ObjectProperties<T extends string, P extends string> {
  readonly ref: ManagedObjectReference<T>;
  readonly properties: PropertyMap<T, P>;
  /** Why properties could not be read. */
  readonly missing: readonly { readonly path: string; readonly fault: VimFault }[];
}

/** Servers hand out large results in pages; this asks for pages of a size that keeps memory flat. */
const MAX_OBJECTS_PER_PAGE = 500;

/** Everything that filters select, following continuation tokens to the end. */
export async function retrieve(
  client: VimCaller,
  specSet: readonly PropertyFilterSpec[],
  options: CallOptions = {},
): Promise<readonly ObjectContent[]> {
  const collector = client.content.propertyCollector;
  const objects: ObjectContent[] = [];
  const first = { specSet, options: { maxObjects: MAX_OBJECTS_PER_PAGE } };
  let page: RetrieveResult | undefined = await client.call(collector, 'RetrievePropertiesEx', first, options);
  while (page !== undefined) {
    objects.push(...page.objects);
    if (page.token === undefined) break;
    page = await client.call(collector, 'ContinueRetrievePropertiesEx', { token: page.token }, options);
  }
  return objects;
}

/** The properties of objects of one type; those that are gone are left out. */
export async function retrieveProperties<const T extends string, const P extends string>(
  client: VimCaller,
  refs: readonly ManagedObjectReference<T>[],
  paths: readonly P[],
  options: CallOptions = {},
): Promise<readonly ObjectProperties<T, P>[]> {
  if (refs.length === 0) return [];
  const spec = { ...filterForObjects(refs, paths), reportMissingObjectsInResults: true };
  return (await retrieve(client, [spec], options)).map((content) => propertiesOf<T, P>(content));
}

/** The properties of one object; throws the fault of one that is gone or cannot be read. */
export async function properties<const T extends string, const P extends string>(
  client: VimCaller,
  ref: ManagedObjectReference<T>,
  paths: readonly P[],
  options: CallOptions = {},
): Promise<PropertyMap<T, P>> {
  const [content] = await retrieve(client, [filterForObjects([ref], paths)], options);
  if (content === undefined) throw notFound(ref);
  const found = propertiesOf<T, P>(content);
  const [missing] = found.missing;
  if (missing !== undefined) throw missing.fault;
  return found.properties;
}

/** Selects these properties of these objects. */
export function filterForObjects(
  refs: readonly ManagedObjectReference[],
  paths: readonly string[],
): PropertyFilterSpec {
  const types = new Set(refs.map((ref) => ref.type));
  return {
    propSet: [...types].map((type) => ({ type, all: false, pathSet: paths })),
    objectSet: refs.map((obj) => ({ obj, skip: false })),
  };
}

/** Selects these properties of everything of one type that is in a view. */
export function filterForView(
  view: ManagedObjectReference<'ContainerView' | 'ListView'>,
  type: ManagedTypeName,
  paths: readonly string[],
): PropertyFilterSpec {
  return {
    propSet: [{ type, all: false, pathSet: paths }],
    objectSet: [
      {
        obj: view,
        skip: true,
        selectSet: [make('TraversalSpec', { type: view.type, path: 'view', skip: false })],
      },
    ],
  };
}

/** A view of everything of some types below an object; disposing it destroys it on the server. */
export async function containerView(
  client: VimCaller,
  container: ManagedEntityRef,
  types: readonly ManagedTypeName[],
  options: CallOptions = {},
): Promise<AsyncDisposable & { readonly ref: ManagedObjectReference<'ContainerView'> }> {
  const manager = requireManager(client, 'viewManager');
  const ref = await client.call(manager, 'CreateContainerView', { container, type: types, recursive: true }, options);
  return {
    ref,
    [Symbol.asyncDispose]: async () => {
      // A view dies with its session, so it may be gone already.
      await client.call(ref, 'DestroyView', {}).catch(() => undefined);
    },
  };
}

/** The properties of everything of one type below an object, the whole inventory by default. */
export async function list<const T extends ManagedTypeName, const P extends string>(
  client: VimCaller,
  type: T,
  paths: readonly P[],
  options: CallOptions & { readonly below?: ManagedEntityRef } = {},
): Promise<readonly ObjectProperties<T, P>[]> {
  await using view = await containerView(client, options.below ?? client.content.rootFolder, [type], options);
  const contents = await retrieve(client, [filterForView(view.ref, type, paths)], options);
  return contents.map((content) => propertiesOf<T, P>(content));
}

function notFound(obj: ManagedObjectReference): VimFault {
  return new VimFault({
    fault: make('ManagedObjectNotFound', { obj }),
    message: `The server has no ${obj.type} ${obj.value}.`,
  });
}

function propertiesOf<T extends string, P extends string>(content: ObjectContent): ObjectProperties<T, P> {
  const values = (content.propSet ?? []).map(({ name, val }) => [name, val] as const);
  return {
    ref: content.obj as ManagedObjectReference<T>,
    properties: Object.fromEntries(values) as PropertyMap<T, P>,
    missing: (content.missingSet ?? []).map(({ path, fault }) => ({
      path,
      fault: VimFault.fromLocalized(fault, `${content.obj.value}.${path}`),
    })),
  };
}
