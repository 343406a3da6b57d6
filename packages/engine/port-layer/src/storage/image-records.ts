import { isVicError, VicError } from '@vic/errors';
import type { ImageId } from '@vic/ids';
import { canonicalReference, familiarReference, parseImageConfig, parseReference, withTag } from '@vic/oci';
import type { Digest, ImageConfig, ImageReference } from '@vic/oci';
import type { DatastoreFiles } from './datastore-files.ts';
import type { ImageLayer } from './image.ts';
import { hexOf, STORE_PATHS } from './store-paths.ts';

/** What is kept of an image besides its layers. */
export interface ImageRecord {
  readonly id: ImageId;
  readonly rawConfig: string;
  /** The manifest it was pulled with; absent when it was made here. */
  readonly manifest: { readonly digest: Digest; readonly mediaType: string; readonly raw: string } | undefined;
  readonly layers: readonly ImageLayer[];
  readonly parentId: ImageId | undefined;
}

/** The document of names. */
interface Repositories {
  /** Canonical reference to image id. */
  readonly references: Readonly<Record<string, ImageId>>;
  readonly lastTaggedMs: Readonly<Record<ImageId, number>>;
}

/** Images and their names, in memory and on the datastore. Callers make their changes one at a time. */
export class ImageRecords {
  readonly #files: DatastoreFiles;
  readonly #records = new Map<ImageId, ImageRecord>();
  readonly #configs = new Map<ImageId, ImageConfig>();
  #references = new Map<string, ImageId>();
  #lastTagged = new Map<ImageId, number>();

  /** Reads everything back; names of images that are not there are dropped. */
  static async open(files: DatastoreFiles, signal: AbortSignal): Promise<ImageRecords> {
    const records = new ImageRecords(files);
    await files.makeDirectory(STORE_PATHS.metadata, signal);
    for (const name of await files.list(STORE_PATHS.metadata, signal)) {
      const file = await files.read(`${STORE_PATHS.metadata}/${name}`, signal);
      if (file !== undefined) records.#remember(JSON.parse(file.toString('utf8')) as ImageRecord);
    }
    const file = await files.read(STORE_PATHS.repositories, signal);
    const stored = JSON.parse(file?.toString('utf8') ?? '{"references":{},"lastTaggedMs":{}}') as Repositories;
    for (const [reference, id] of Object.entries(stored.references)) {
      if (records.#records.has(id)) records.#references.set(reference, id);
    }
    records.#lastTagged = new Map(Object.entries(stored.lastTaggedMs) as [ImageId, number][]);
    return records;
  }

  private constructor(files: DatastoreFiles) {
    this.#files = files;
  }

  all(): readonly ImageRecord[] {
    return [...this.#records.values()];
  }

  get(id: ImageId): ImageRecord | undefined {
    return this.#records.get(id);
  }

  configOf(record: ImageRecord): ImageConfig {
    return this.#configs.getOrInsertComputed(record.id, () => parseImageConfig(record.rawConfig));
  }

  lastTaggedMs(id: ImageId): number {
    return this.#lastTagged.get(id) ?? 0;
  }

  /** All names of an image, tags and digests. */
  referencesOf(id: ImageId): readonly ImageReference[] {
    return [...this.#references].filter(([, owner]) => owner === id).map(([text]) => parseReference(text));
  }

  /** The image a name stands for. */
  lookUp(reference: ImageReference): ImageId | undefined {
    // With both a tag and a digest the digest decides, as in Docker.
    const { tag: _tag, ...withoutTag } = reference;
    const exact = reference.digest === undefined ? withTag(reference) : withoutTag;
    return this.#references.get(canonicalReference(exact));
  }

  /**
   * The image a user means, in Docker's order: a full id, a name, an id's first digits.
   *
   * `byId` says whether it was named by its id.
   */
  find(text: string): { readonly record: ImageRecord; readonly byId: boolean } {
    const digits = text.replace(/^sha256:/, '');
    const isFullId = /^[0-9a-f]{64}$/.test(digits);
    const full = isFullId ? this.#records.get(`sha256:${digits}` as ImageId) : undefined;
    if (full !== undefined) return { record: full, byId: true };
    if (isFullId) throw noSuchImage(text);
    const named = text.startsWith('sha256:') ? undefined : this.#byName(text);
    if (named !== undefined) return { record: named, byId: false };
    const matches = /^[0-9a-f]{1,63}$/.test(digits) ? this.all().filter(({ id }) => hexOf(id).startsWith(digits)) : [];
    if (matches.length > 1) {
      throw new VicError({
        class: 'InvalidArgument',
        code: 'IMAGE_AMBIGUOUS',
        message: `The image id ${text} is ambiguous: several images begin with it.`,
      });
    }
    const [record] = matches;
    if (record === undefined) throw noSuchImage(text);
    return { record, byId: true };
  }

  /** Stores the image first, then whatever names are given to it. */
  async add(record: ImageRecord, names: readonly ImageReference[], signal: AbortSignal): Promise<boolean> {
    const isNew = !this.#records.has(record.id);
    if (isNew) {
      await this.#files.write(pathOf(record.id), JSON.stringify(record), signal);
      this.#remember(record);
    }
    return (await this.setNames(record.id, names, signal)) || isNew;
  }

  /** Points names at an image; true when any of them pointed elsewhere before. */
  async setNames(id: ImageId, names: readonly ImageReference[], signal: AbortSignal): Promise<boolean> {
    const changed = names.map(canonicalReference).filter((name) => this.#references.get(name) !== id);
    if (changed.length === 0) return false;
    const references = new Map(this.#references);
    for (const name of changed) references.set(name, id);
    await this.#saveNames(references, new Map(this.#lastTagged).set(id, Date.now()), signal);
    return true;
  }

  /** Removes names. */
  async removeNames(names: readonly ImageReference[], signal: AbortSignal): Promise<void> {
    const references = new Map(this.#references);
    for (const name of names) references.delete(canonicalReference(name));
    await this.#saveNames(references, this.#lastTagged, signal);
  }

  /** Forgets an image; its names must be gone. */
  async remove(id: ImageId, signal: AbortSignal): Promise<void> {
    await this.#files.delete(pathOf(id), signal);
    this.#records.delete(id);
    this.#configs.delete(id);
  }

  #byName(text: string): ImageRecord | undefined {
    try {
      const id = this.lookUp(parseReference(text));
      return id === undefined ? undefined : this.#records.get(id);
    } catch (error) {
      // What is not a name may still be the beginning of an id; if not, it is no image.
      if (isVicError(error, { class: 'InvalidArgument' })) return undefined;
      throw error;
    }
  }

  #remember(record: ImageRecord): void {
    this.#records.set(record.id, record);
  }

  async #saveNames(
    references: Map<string, ImageId>,
    lastTagged: Map<ImageId, number>,
    signal: AbortSignal,
  ): Promise<void> {
    const known = [...lastTagged].filter(([id]) => this.#records.has(id));
    const document: Repositories = {
      references: Object.fromEntries(references),
      lastTaggedMs: Object.fromEntries(known),
    };
    await this.#files.write(STORE_PATHS.repositories, JSON.stringify(document, undefined, 1), signal);
    this.#references = references;
    this.#lastTagged = new Map(known);
  }
}

function noSuchImage(text: string): VicError {
  let shown = text;
  try {
    shown = text.startsWith('sha256:') ? text : familiarReference(withTag(parseReference(text)));
  } catch {
    // What is not even a name is shown as it is.
  }
  return new VicError({ class: 'NotFound', code: 'IMAGE_NOT_FOUND', message: `No such image: ${shown}` });
}

function pathOf(id: ImageId): string {
  return `${STORE_PATHS.metadata}/${hexOf(id)}.json`;
}
