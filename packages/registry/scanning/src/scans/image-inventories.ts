import { VicError } from '@vic/errors';
import { type ContentDigest, parseContentDigest } from '@vic/oci';
import type { Database, Executor } from '@vic/sql';
import { type PackageInventory, takeInventory } from '@vic/vulnerabilities';
import type { ScanningDeps } from '../scanning-deps.ts';
import type { ScanSubject } from './scan-subject.ts';

/** Changes when the readers find more than before: older inventories are then taken again. */
const FORMAT = 1;
/** As many as a container's disk can hold. */
const MAX_LAYERS = 127;

interface StoredInventory extends PackageInventory {
  readonly format: number;
}

/** The inventories of images: taken once from the layers, kept by digest, used by every scan and each new advisory. */
export class ImageInventories {
  readonly #database: Database;
  readonly #deps: Pick<ScanningDeps, 'blobs' | 'store' | 'now'>;

  constructor(deps: Pick<ScanningDeps, 'database' | 'blobs' | 'store' | 'now'>) {
    this.#database = deps.database;
    this.#deps = deps;
  }

  /** The inventory of an image, taken from its layers unless it is known. */
  async of(subject: ScanSubject, signal: AbortSignal, log: (line: string) => void): Promise<PackageInventory> {
    const known = await this.find(subject.digest);
    if (known !== undefined) {
      log(`The packages of the image are known: ${known.packages.length}.`);
      return known;
    }
    const layers = await this.#layersOf(subject);
    log(`Reading ${layers.length} layers.`);
    const inventory = await takeInventory(
      layers.map((digest) => ({ open: async () => this.#deps.blobs.read(digest) })),
      signal,
    );
    for (const warning of inventory.warnings) log(warning);
    log(
      `Found ${inventory.packages.length} packages in ${inventory.operatingSystem?.name ?? 'no known distribution'}.`,
    );
    await this.#save(subject.digest, inventory);
    return inventory;
  }

  /** The inventory of the image with that digest, if it was taken. */
  async find(digest: string): Promise<PackageInventory | undefined> {
    const row = await this.#database.db
      .selectFrom('image_inventories')
      .select('document')
      .where('digest', '=', digest)
      .executeTakeFirst();
    const stored = row === undefined ? undefined : (JSON.parse(row.document) as StoredInventory);
    return stored?.format === FORMAT ? stored : undefined;
  }

  /** Forgets inventories of images that are in no repository any more. */
  async forget(db: Executor, digests: readonly string[]): Promise<void> {
    if (digests.length === 0) return;
    await db
      .deleteFrom('image_inventories')
      .where('digest', 'in', digests)
      .where((column) =>
        column.not(
          column.exists(
            column
              .selectFrom('artifacts')
              .select('artifacts.id')
              .whereRef('artifacts.digest', '=', 'image_inventories.digest'),
          ),
        ),
      )
      .execute();
  }

  async #layersOf(subject: ScanSubject): Promise<readonly ContentDigest[]> {
    const served = await this.#deps.store.getManifest(subject.repository, subject.digest);
    const text = served === undefined ? '{}' : Buffer.from(served.manifest.content).toString('utf8');
    const { layers } = JSON.parse(text) as { readonly layers?: readonly Layer[] };
    if (served === undefined || layers === undefined) throw notReadable(subject, 'its manifest names no layers');
    if (layers.length > MAX_LAYERS) throw notReadable(subject, `it has more than ${MAX_LAYERS} layers`);
    // Foreign layers are elsewhere; media types that are no tar are no file system.
    const foreign = layers.find((layer) => /foreign|nondistributable/.test(layer.mediaType));
    if (foreign !== undefined) throw notReadable(subject, 'one of its layers is not stored here');
    const isLayer = ({ mediaType }: Layer): boolean => /\.tar\b|\+gzip|\+zstd/.test(mediaType);
    return layers.filter(isLayer).map(({ digest }) => parseContentDigest(digest));
  }

  async #save(digest: string, inventory: PackageInventory): Promise<void> {
    const values = {
      document: JSON.stringify({ format: FORMAT, ...inventory }),
      package_count: inventory.packages.length,
      created_at_ms: (this.#deps.now ?? Date.now)(),
    };
    await this.#database.db
      .insertInto('image_inventories')
      .values({ digest, ...values })
      .onConflict((conflict) => conflict.column('digest').doUpdateSet(values))
      .execute();
  }
}

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
}

function notReadable(subject: ScanSubject, reason: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'SCAN_IMAGE_UNREADABLE',
    message: `${subject.repository}@${subject.digest} cannot be scanned: ${reason}.`,
  });
}
