/** What a directory is, apart from what is in it. */
export interface DirectoryMetadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly xattrs: ReadonlyMap<string, string>;
}

/** What one layer says about directories: kept beside its disk, for the layers above it. */
export interface LayerDirectories {
  /** Every directory of the layer. */
  readonly directories: ReadonlyMap<string, DirectoryMetadata>;
  /** Directories whose content in lower layers does not show through. */
  readonly opaque: ReadonlySet<string>;
  /** Paths at which the layer removes, or replaces with something else, a lower layer's directory. */
  readonly hidden: ReadonlySet<string>;
}

/** The directory seen at `path` through the layers, topmost first; `undefined` when there is none. */
export function findDirectory(layers: readonly LayerDirectories[], path: string): DirectoryMetadata | undefined {
  const ancestors = ancestorsOf(path);
  for (const layer of layers) {
    const found = layer.directories.get(path);
    if (found !== undefined) return found;
    if (layer.hidden.has(path)) return undefined;
    if (ancestors.some((ancestor) => layer.hidden.has(ancestor) || layer.opaque.has(ancestor))) return undefined;
  }
  return undefined;
}

type Row = readonly [path: string, mode: number, uid: number, gid: number, mtime: number, ...xattrs: readonly string[]];

interface Document {
  readonly directories: readonly Row[];
  readonly opaque: readonly string[];
  readonly hidden: readonly string[];
}

/** The JSON document of a layer's directories. */
export function encodeLayerDirectories(layer: LayerDirectories): string {
  const directories = [...layer.directories].map(([path, meta]): Row => [
    path,
    meta.mode,
    meta.uid,
    meta.gid,
    meta.mtimeSeconds,
    ...[...meta.xattrs].flat(),
  ]);
  const document: Document = { directories, opaque: [...layer.opaque], hidden: [...layer.hidden] };
  return JSON.stringify(document);
}

/** Reads {@link encodeLayerDirectories}'s document, which only we write. */
export function decodeLayerDirectories(text: string): LayerDirectories {
  const document = JSON.parse(text) as Document;
  const directories = new Map(
    document.directories.map(([path, mode, uid, gid, mtimeSeconds, ...pairs]) => {
      const xattrs = new Map<string, string>();
      for (let index = 0; index + 1 < pairs.length; index += 2) xattrs.set(pairs[index] ?? '', pairs[index + 1] ?? '');
      return [path, { mode, uid, gid, mtimeSeconds, xattrs }] as const;
    }),
  );
  return { directories, opaque: new Set(document.opaque), hidden: new Set(document.hidden) };
}

/** All proper ancestors, the root (empty path) included. */
function ancestorsOf(path: string): readonly string[] {
  const ancestors: string[] = path === '' ? [] : [''];
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    ancestors.push(path.slice(0, slash));
  }
  return ancestors;
}
