import { encodeHeader, END_OF_ARCHIVE, paddingOf } from './encode-header.ts';
import { findDirectory } from './layer-directories.ts';
import type { DirectoryMetadata, LayerDirectories } from './layer-directories.ts';
import { LayerTree } from './layer-tree.ts';
import type { Branch, Leaf } from './layer-tree.ts';
import { readTar } from './read-tar.ts';
import { VicError } from '@vic/errors';
import { PLAIN_HEADER } from './tar-header.ts';
import type { TarHeader } from './tar-header.ts';

/** For each regular file whose name is not simply its entry's: the name to write it under, or `undefined` to drop it. */
export type LayerPlan = ReadonlyMap<number, string | undefined>;

/** What a transformed layer was. */
export interface LayerSummary {
  readonly directories: LayerDirectories;
  /** True when the layer changes nothing at all. */
  readonly isEmpty: boolean;
  /** Names of extended attributes a squashfs cannot hold, which were left out. */
  readonly droppedXattrs: readonly string[];
}

/** Options of {@link transformLayer}. */
export interface TransformOptions {
  /** The layers below, topmost first; asked for once, when all entries have been read. */
  readonly lower: () => Promise<readonly LayerDirectories[]>;
  /** From a {@link LayerReplanError} of an earlier run over the same archive. */
  readonly plan?: LayerPlan;
  /** Called once, before the output ends. */
  readonly onSummary: (summary: LayerSummary) => void;
}

/** Thrown at the archive's end when a file that was already written is replaced later: run again with `plan`. */
export class LayerReplanError extends VicError {
  readonly plan: LayerPlan;

  constructor(plan: LayerPlan) {
    super({ class: 'Internal', code: 'TAR_REPLAN', message: 'The layer replaces files it wrote earlier.' });
    this.plan = plan;
  }
}

const OVERLAY_XATTRS = /^(?:trusted|user)\.overlay\./;
const SQUASHFS_XATTRS = /^(?:user|trusted|security)\./;
const OPAQUE_XATTR = 'trusted.overlay.opaque';
/**
 * On the root of every layer. A squashfs without any attribute answers "not supported" to whoever lists one,
 * which programs report for each file; overlayfs shows none of its own names to anybody.
 */
const ATTRIBUTE_TABLE_XATTR = 'trusted.overlay.layer';

/**
 * Turns an image layer's tar into one that tar2sqfs makes an overlay layer of.
 *
 * Whiteouts become what overlayfs understands. The content of regular files passes straight through; all else is
 * small, is remembered, and is written at the end in its final state: so a directory can become opaque, or
 * get its time, after its files. Memory grows with the number of entries, never with their content.
 */
export async function* transformLayer(
  source: AsyncIterable<Uint8Array>,
  options: TransformOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const tree = new LayerTree();
  const written = new Map<number, string>();
  const dropped = new Set<string>();
  let ordinal = 0;
  let entries = 0;
  for await (const entry of readTar(source)) {
    ordinal++;
    entries++;
    const header = { ...entry, xattrs: keepXattrs(entry.xattrs, dropped) };
    const path = tree.add(stripContent(header), ordinal);
    if (header.type !== 'file' || path === undefined) continue;
    const name = options.plan?.has(ordinal) === true ? options.plan.get(ordinal) : path;
    if (name === undefined) continue;
    written.set(ordinal, name);
    yield encodeHeader({ ...header, path: name });
    for await (const chunk of entry.content) yield chunk;
    yield paddingOf(header.sizeBytes);
  }
  const places = placesOf(tree.root);
  const plan = planFor(places, written);
  if (plan !== undefined) throw new LayerReplanError(plan);
  const lower = await options.lower();
  const directories = describeDirectories(tree.root, lower);
  for (const header of finalHeaders(tree.root, places, written, directories)) yield encodeHeader(header);
  options.onSummary({ directories, isEmpty: entries === 0, droppedXattrs: [...dropped] });
  yield END_OF_ARCHIVE;
}

/** Drops the reference to the entry's stream. */
function stripContent(header: TarHeader & { readonly content?: unknown }): TarHeader {
  const { content: _content, ...rest } = header;
  return rest;
}

/** What the image says about overlayfs itself is never believed: it could show or hide lower layers' files. */
function keepXattrs(xattrs: ReadonlyMap<string, string>, dropped: Set<string>): ReadonlyMap<string, string> {
  if (xattrs.size === 0) return xattrs;
  const kept = new Map<string, string>();
  for (const [name, value] of xattrs) {
    if (!OVERLAY_XATTRS.test(name) && SQUASHFS_XATTRS.test(name)) kept.set(name, value);
    else dropped.add(name);
  }
  return kept;
}

/** The names each leaf has in the end, in walking order. */
function placesOf(root: Branch): ReadonlyMap<Leaf, readonly string[]> {
  const places = new Map<Leaf, string[]>();
  for (const [path, node] of walk(root)) {
    if (node.kind === 'leaf') places.getOrInsertComputed(node, () => []).push(path);
  }
  return places;
}

function planFor(
  places: ReadonlyMap<Leaf, readonly string[]>,
  written: ReadonlyMap<number, string>,
): LayerPlan | undefined {
  const namesOf = new Map([...places].map(([leaf, names]) => [leaf.ordinal, names]));
  const plan = new Map<number, string | undefined>();
  let isWrong = false;
  for (const [ordinal, name] of written) {
    const names = namesOf.get(ordinal) ?? [];
    if (names.includes(name)) continue;
    isWrong = true;
    plan.set(ordinal, names[0]);
  }
  return isWrong ? plan : undefined;
}

function describeDirectories(root: Branch, lower: readonly LayerDirectories[]): LayerDirectories {
  const directories = new Map<string, DirectoryMetadata>();
  const opaque = new Set<string>();
  const hidden = new Set<string>();
  for (const [path, node] of walk(root)) {
    if (node.kind === 'leaf') {
      if (findDirectory(lower, path) !== undefined) hidden.add(path);
      continue;
    }
    directories.set(path, metadataOf(node, path, lower));
    if (node.opaque) opaque.add(path);
    for (const name of node.whiteouts) {
      const target = joined(path, name);
      const replaced = node.children.get(name);
      if (replaced?.kind === 'branch') opaque.add(target);
      else if (replaced === undefined) hidden.add(target);
    }
  }
  return { directories, opaque, hidden };
}

const DEFAULT_DIRECTORY: DirectoryMetadata = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, xattrs: new Map() };

/** A directory the layer does not describe itself keeps what the layers below say about it. */
function metadataOf(node: Branch, path: string, lower: readonly LayerDirectories[]): DirectoryMetadata {
  if (node.header === undefined) return findDirectory(lower, path) ?? DEFAULT_DIRECTORY;
  const { mode, uid, gid, mtimeSeconds, xattrs } = node.header;
  return { mode, uid, gid, mtimeSeconds, xattrs };
}

function* finalHeaders(
  root: Branch,
  places: ReadonlyMap<Leaf, readonly string[]>,
  written: ReadonlyMap<number, string>,
  { directories, opaque }: LayerDirectories,
): Generator<TarHeader, void, undefined> {
  for (const [leaf, names] of places) {
    const primary = written.get(leaf.ordinal) ?? names[0] ?? '';
    if (!written.has(leaf.ordinal)) yield { ...leaf.header, path: primary };
    for (const name of names) {
      if (name !== primary)
        yield { ...leaf.header, path: name, type: 'link', linkTarget: primary, sizeBytes: 0, xattrs: new Map() };
    }
  }
  for (const [path, node] of walk(root)) {
    if (node.kind === 'leaf') continue;
    // In an opaque directory nothing of the lower layers is left to white out.
    if (!opaque.has(path)) yield* whiteoutHeaders(node, path);
    const { mode, uid, gid, mtimeSeconds, xattrs } = directories.get(path) ?? DEFAULT_DIRECTORY;
    const allXattrs = new Map(xattrs);
    if (opaque.has(path)) allXattrs.set(OPAQUE_XATTR, 'y');
    if (path === '') allXattrs.set(ATTRIBUTE_TABLE_XATTR, 'y');
    yield { ...PLAIN_HEADER, path, type: 'directory', mode, uid, gid, mtimeSeconds, xattrs: allXattrs };
  }
}

function* whiteoutHeaders(node: Branch, path: string): Generator<TarHeader, void, undefined> {
  for (const name of node.whiteouts) {
    if (!node.children.has(name)) yield { ...PLAIN_HEADER, path: joined(path, name), type: 'character-device' };
  }
}

/** Every node with its path, parents before children. */
function* walk(root: Branch): Generator<readonly [path: string, node: Leaf | Branch], void, undefined> {
  const pending: [string, Leaf | Branch][] = [['', root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    yield next;
    const [path, node] = next;
    if (node.kind === 'branch') for (const [name, child] of node.children) pending.push([joined(path, name), child]);
  }
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
