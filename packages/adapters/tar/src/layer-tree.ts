import { nameText } from './entry-name.ts';
import { tarError } from './tar-error.ts';
import type { TarHeader } from './tar-header.ts';

/** Something that is not a directory; hard links share one. */
export interface Leaf {
  readonly kind: 'leaf';
  readonly header: TarHeader;
  /** Which entry of the archive it came from. */
  readonly ordinal: number;
}

/** A directory; `header` is absent while the archive has not described it. */
export interface Branch {
  readonly kind: 'branch';
  header: TarHeader | undefined;
  opaque: boolean;
  readonly children: Map<string, Leaf | Branch>;
  readonly whiteouts: Set<string>;
}

/** More than any real image has in one layer; bounds what a hostile one can make us remember. */
const MAX_ENTRIES = 2_000_000;
/** As Linux does. */
const MAX_SYMLINKS = 40;
/** Bounds the recursion of everything that walks the tree. */
const MAX_DEPTH = 2048;

const WHITEOUT_PREFIX = '.wh.';
const AUFS_PREFIX = '.wh..wh.';
const OPAQUE_MARKER = '.wh..wh..opq';

/** One layer's entries as a file system: what is left when later entries have replaced earlier ones. */
export class LayerTree {
  readonly root: Branch = newBranch();
  #entries = 0;

  /**
   * Puts an entry in its place, as Docker does when it unpacks a layer into a directory.
   *
   * Gives the path it landed at, through the layer's own symbolic links, or `undefined` for a marker.
   */
  add(header: TarHeader, ordinal: number): string | undefined {
    if (++this.#entries > MAX_ENTRIES) {
      throw tarError('TAR_TOO_MANY', `A layer of the image has more than ${MAX_ENTRIES} entries.`);
    }
    if (header.path === '') {
      if (header.type !== 'directory')
        throw tarError('TAR_CORRUPT', 'The archive replaces the root by something else.');
      this.root.header = header;
      return '';
    }
    const components = header.path.split('/');
    const name = components.pop() ?? '';
    const [parent, parentPath] = this.#branchAt(components);
    if (name.startsWith(WHITEOUT_PREFIX)) return addMarker(parent, name);
    const path = parentPath === '' ? name : `${parentPath}/${name}`;
    const existing = parent.children.get(name);
    if (header.type === 'directory') {
      const branch = existing?.kind === 'branch' ? existing : newBranch();
      branch.header = { ...header, path };
      parent.children.set(name, branch);
    } else {
      parent.children.set(name, header.type === 'link' ? this.#linkTarget(header) : { kind: 'leaf', header, ordinal });
    }
    return path;
  }

  /** The leaf at a path, without following a symbolic link at its end. */
  leafAt(path: string): Leaf | undefined {
    const components = path.split('/');
    let node: Leaf | Branch | undefined = this.root;
    for (const component of components) {
      if (node?.kind !== 'branch') return undefined;
      node = node.children.get(component);
    }
    return node?.kind === 'leaf' ? node : undefined;
  }

  #linkTarget(header: TarHeader): Leaf {
    const components = header.linkTarget.split('/');
    const name = components.pop() ?? '';
    const parent = this.#follow(components, false)?.[0];
    const target = parent?.children.get(name);
    if (target?.kind === 'leaf') return target;
    const [from, to] = [nameText(header.linkTarget), nameText(header.path)];
    const reason = target === undefined ? 'no such file or directory' : 'operation not permitted';
    throw tarError('TAR_LINK', `failed to register layer: link /${from} /${to}: ${reason}`);
  }

  #branchAt(components: readonly string[]): readonly [Branch, path: string] {
    const found = this.#follow(components, true);
    if (found === undefined) throw notDirectory(components);
    return found;
  }

  /** Walks to a directory through the layer's symbolic links; makes missing ones when asked. */
  #follow(components: readonly string[], create: boolean): readonly [Branch, path: string] | undefined {
    let trail: { readonly branch: Branch; readonly name: string }[] = [];
    const pending = components.toReversed();
    let links = 0;
    for (let component = pending.pop(); component !== undefined; component = pending.pop()) {
      if (component === '' || component === '.') continue;
      if (component === '..') {
        trail.pop();
        continue;
      }
      const branch = trail.at(-1)?.branch ?? this.root;
      let next = branch.children.get(component);
      if (next === undefined) {
        if (!create) return undefined;
        if (trail.length >= MAX_DEPTH) throw notDirectory(components);
        next = newBranch();
        branch.children.set(component, next);
      }
      if (next.kind === 'branch') {
        trail.push({ branch: next, name: component });
      } else if (next.header.type === 'symlink' && ++links <= MAX_SYMLINKS) {
        if (next.header.linkTarget.startsWith('/')) trail = [];
        pending.push(...next.header.linkTarget.split('/').toReversed());
      } else if (create) {
        throw notDirectory(components);
      } else {
        return undefined;
      }
    }
    return [trail.at(-1)?.branch ?? this.root, trail.map(({ name }) => name).join('/')];
  }
}

function newBranch(): Branch {
  return { kind: 'branch', header: undefined, opaque: false, children: new Map(), whiteouts: new Set() };
}

/** Whiteouts speak about lower layers only (OCI image-spec, layer.md "Whiteouts"). */
function addMarker(parent: Branch, name: string): undefined {
  if (name === OPAQUE_MARKER) parent.opaque = true;
  // Other names with the prefix are AUFS's own files, which every engine skips.
  else if (!name.startsWith(AUFS_PREFIX)) {
    const target = name.slice(WHITEOUT_PREFIX.length);
    if (target === '' || target === '.' || target === '..') {
      throw tarError('TAR_NAME', `invalid whiteout name ${JSON.stringify(nameText(name))}`);
    }
    parent.whiteouts.add(target);
  }
  return undefined;
}

function notDirectory(components: readonly string[]): Error {
  return tarError('TAR_NAME', `failed to register layer: mkdir /${nameText(components.join('/'))}: not a directory`);
}
