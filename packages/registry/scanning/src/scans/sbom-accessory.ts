import { Readable } from 'node:stream';
import type { RobotPrincipal } from '@vic/authz';
import { digestOfBytes } from '@vic/oci';
import type { RepositoryPlace } from '@vic/repositories';
import type { ScanningDeps } from '../scanning-deps.ts';
import type { ScanSubject } from './scan-subject.ts';

/** The media type that Harbor's clients know the accessory by. */
const SBOM_TYPE = 'application/vnd.goharbor.harbor.sbom.v1';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** Who pushes what scanners make. */
const SCANNER_PRINCIPAL: RobotPrincipal = { kind: 'robot', id: 0, name: 'scanner', grants: [] };

/** Stores an SBOM beside its image, as an artifact whose subject the image is; gives its digest. */
export async function storeSbom(
  deps: Pick<ScanningDeps, 'blobs' | 'store'>,
  place: RepositoryPlace,
  subject: ScanSubject,
  sbom: { readonly document: unknown; readonly createdAtMs: number },
): Promise<string> {
  const content = Buffer.from(JSON.stringify(sbom.document));
  const config = Buffer.from('{}');
  for (const bytes of [config, content]) {
    const digest = digestOfBytes(bytes);
    await deps.blobs.put(digest, Readable.from([bytes]));
    await deps.store.linkBlob(place, { digest, sizeBytes: bytes.length });
  }
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: SBOM_TYPE, digest: digestOfBytes(config), size: config.length },
      layers: [{ mediaType: SBOM_TYPE, digest: digestOfBytes(content), size: content.length }],
      subject: {
        mediaType: subject.manifestMediaType,
        digest: subject.digest,
        size: await manifestSize(deps, subject),
      },
      annotations: {
        'org.opencontainers.artifact.created': new Date(sbom.createdAtMs).toISOString(),
        'org.opencontainers.artifact.description': 'SPDX JSON SBOM',
      },
    }),
  );
  const digest = digestOfBytes(manifest);
  await deps.store.putManifest(
    place,
    { principal: SCANNER_PRINCIPAL },
    { content: manifest, mediaType: MANIFEST_TYPE, digest, tags: [] },
  );
  return digest;
}

async function manifestSize({ store }: Pick<ScanningDeps, 'store'>, subject: ScanSubject): Promise<number> {
  const served = await store.getManifest(subject.repository, subject.digest);
  return served?.manifest.content.length ?? 0;
}
