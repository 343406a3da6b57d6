import { VicError } from '@vic/errors';
import { readTar, type TarEntry } from '@vic/tar';
import type { InstalledPackage, OperatingSystem, PackageInventory } from '../package-inventory.ts';
import { FactTree } from './fact-tree.ts';
import type { FileFacts } from './file-facts.ts';
import { readerFor, type FileReader } from './interest.ts';

/** More than any real layer has; bounds a hostile one. */
const MAX_ENTRIES_PER_LAYER = 2_000_000;
const MAX_PACKAGES = 200_000;
const MAX_WARNINGS = 100;
const OPAQUE = '.wh..wh..opq';
const WHITEOUT = '.wh.';

/** Takes the inventory of an image from its layers, uncompressed tar streams, lowest first. */
export async function readLayers(layers: AsyncIterable<AsyncIterable<Uint8Array>>): Promise<PackageInventory> {
  const tree = new FactTree();
  const warnings: string[] = [];
  for await (const layer of layers) {
    const read = await readLayer(layer, warnings);
    applyLayer(tree, read);
  }
  return inventoryOf(tree, warnings);
}

interface ReadLayer {
  readonly facts: ReadonlyMap<string, FileFacts>;
  /** Paths of directories, and of everything else. */
  readonly directories: ReadonlySet<string>;
  readonly others: ReadonlySet<string>;
  readonly whiteouts: readonly string[];
  readonly opaque: readonly string[];
}

async function readLayer(layer: AsyncIterable<Uint8Array>, warnings: string[]): Promise<ReadLayer> {
  const facts = new Map<string, FileFacts>();
  const [directories, others] = [new Set<string>(), new Set<string>()];
  const [whiteouts, opaque]: [string[], string[]] = [[], []];
  let entries = 0;
  for await (const entry of readTar(layer)) {
    if (++entries > MAX_ENTRIES_PER_LAYER) throw tooMany(`a layer has more than ${MAX_ENTRIES_PER_LAYER} entries`);
    const slash = entry.path.lastIndexOf('/');
    const [parent, name] = [entry.path.slice(0, Math.max(0, slash)), entry.path.slice(slash + 1)];
    if (name === OPAQUE) opaque.push(parent);
    else if (name.startsWith(WHITEOUT)) whiteouts.push(join(parent, name.slice(WHITEOUT.length)));
    else if (entry.type === 'directory') directories.add(entry.path);
    else {
      others.add(entry.path);
      facts.delete(entry.path);
      const found = await factsOf(entry, facts, warnings);
      if (found !== undefined) facts.set(entry.path, found);
    }
  }
  return { facts, directories, others, whiteouts, opaque };
}

async function factsOf(
  entry: TarEntry,
  sameLayer: ReadonlyMap<string, FileFacts>,
  warnings: string[],
): Promise<FileFacts | undefined> {
  if (entry.type === 'link') return sameLayer.get(entry.linkTarget);
  if (entry.type !== 'file') return undefined;
  const reader = readerFor(entry.path, entry);
  if (reader === undefined) return undefined;
  if (reader.kind === 'whole' && entry.sizeBytes > reader.limitBytes) {
    warn(warnings, entry.path, `is larger than ${reader.limitBytes} bytes and was not read`);
    return undefined;
  }
  const found = await runReader(reader, entry);
  for (const warning of found.warnings ?? []) warn(warnings, entry.path, warning);
  const owns = found.owns?.filter((path) => readerFor(path, OWNED_HEADER) !== undefined);
  return { ...found, ...(owns === undefined ? {} : { owns }) };
}

/** Stands for a file a package owns: only its path matters then. */
const OWNED_HEADER = { type: 'file', mode: 0o755, sizeBytes: Number.MAX_SAFE_INTEGER } as TarEntry;

async function runReader(reader: FileReader, entry: TarEntry): Promise<FileFacts> {
  if (reader.kind === 'stream') return reader.read(entry.content);
  const chunks: Buffer[] = [];
  for await (const chunk of entry.content) chunks.push(chunk);
  return reader.read(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks), entry.path);
}

/** Whiteouts speak of lower layers only (OCI image-spec, layer.md "Whiteouts"). */
function applyLayer(tree: FactTree, layer: ReadLayer): void {
  for (const path of layer.opaque) tree.removeBelow(path);
  for (const path of layer.whiteouts) tree.remove(path);
  for (const path of layer.others) tree.remove(path);
  for (const path of layer.directories) tree.removeFile(path);
  for (const [path, facts] of layer.facts) tree.set(path, facts);
}

function inventoryOf(tree: FactTree, warnings: readonly string[]): PackageInventory {
  const all = [...tree.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const owned = new Set(all.flatMap(([, { owns = [] }]) => owns));
  const packages = new Map<string, InstalledPackage>();
  let operatingSystem: OperatingSystem | undefined;
  for (const [path, facts] of all) {
    operatingSystem ??= facts.operatingSystem;
    const isSystem = (type: string): boolean => type === 'deb' || type === 'apk' || type === 'rpm';
    for (const found of facts.packages) {
      // A distribution's advisories speak of its own builds; those of the language would be wrong about them.
      if (!isSystem(found.type) && owned.has(path)) continue;
      const key = JSON.stringify([found.type, found.name, found.version, found.architecture]);
      if (!packages.has(key)) packages.set(key, { ...found, path: decode(path) });
      if (packages.size > MAX_PACKAGES) throw tooMany(`the image has more than ${MAX_PACKAGES} packages`);
    }
  }
  return { operatingSystem, packages: [...packages.values()], warnings: [...new Set(warnings)] };
}

function warn(warnings: string[], path: string, reason: string): void {
  if (warnings.length < MAX_WARNINGS) warnings.push(`/${decode(path)}: ${reason}.`);
}

/** Names in archives are bytes, one per character. */
function decode(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

function tooMany(what: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'SCAN_IMAGE_TOO_LARGE',
    message: `The image cannot be scanned: ${what}.`,
  });
}
