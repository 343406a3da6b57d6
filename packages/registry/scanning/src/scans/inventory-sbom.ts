import type { SbomFormat } from '@vic/catalog';
import { cycloneDxDocument, spdxDocument } from '@vic/vulnerabilities';
import { builtInMetadata } from '../scanners/scanner-metadata.ts';
import type { ScanningDeps } from '../scanning-deps.ts';
import type { ImageInventories } from './image-inventories.ts';
import type { ScanSubject } from './scan-subject.ts';

/** What a document is made from. */
export interface InventorySbomDeps extends Pick<ScanningDeps, 'registry' | 'now'> {
  readonly inventories: Pick<ImageInventories, 'find'>;
}

/** The packages of an image in either form; `undefined` while the built-in scanner has not read the image. */
export async function inventorySbom(
  { inventories, registry, now }: InventorySbomDeps,
  subject: Pick<ScanSubject, 'repository' | 'digest'>,
  format: SbomFormat,
): Promise<unknown> {
  const inventory = await inventories.find(subject.digest);
  if (inventory === undefined) return undefined;
  const make = format === 'cyclonedx' ? cycloneDxDocument : spdxDocument;
  return make(inventory, {
    name: `${new URL(registry.url).host}/${subject.repository}`,
    digest: subject.digest,
    createdAtMs: (now ?? Date.now)(),
    tool: builtInMetadata({}).scanner,
  });
}
