import type { ContentDigest, RegistryManifest } from '@vic/oci';
import type { AccessoryType } from './artifact.ts';

/** What an artifact is, as the REST API and the policies see it. */
export interface ArtifactKind {
  /** `IMAGE`, `CHART`, `SIGNATURE` … */
  readonly type: string;
  readonly subject: ContentDigest | undefined;
  readonly subjectOrigin: 'declared' | 'tag' | undefined;
  readonly accessoryType: AccessoryType | undefined;
}

const TYPE_OF_MEDIA_TYPE: Readonly<Record<string, string>> = {
  'application/vnd.docker.container.image.v1+json': 'IMAGE',
  'application/vnd.oci.image.config.v1+json': 'IMAGE',
  'application/vnd.docker.plugin.v1+json': 'PLUGIN',
  'application/vnd.cncf.helm.config.v1+json': 'CHART',
  'application/vnd.cnab.config.v1+json': 'CNAB',
  'application/vnd.wasm.config.v0+json': 'WASM',
  'application/vnd.wasm.config.v1+json': 'WASM',
  'application/vnd.cncf.notary.signature': 'SIGNATURE',
  'application/vnd.dev.cosign.artifact.sig.v1+json': 'SIGNATURE',
  'application/vnd.dev.sigstore.bundle.v0.3+json': 'SIGNATURE',
  'application/vnd.goharbor.harbor.sbom.v1': 'SBOM',
  'application/spdx+json': 'SBOM',
  'text/spdx': 'SBOM',
  'application/vnd.cyclonedx': 'SBOM',
  'application/vnd.cyclonedx+json': 'SBOM',
  'application/vnd.cyclonedx+xml': 'SBOM',
  'application/vnd.cncf.model.config.v1+json': 'CNAI',
  'application/vnd.cncf.model.manifest.v1+json': 'CNAI',
};

/** `application/vnd.<vendor>.<kind>.config.v1+json` tells the kind. */
const CONFIG_TYPE = /^application\/vnd\.[^.]+\.([\w.-]{1,64})\.config\.[^.]+\+json$/;

const COSIGN_PAYLOAD = 'application/vnd.dev.cosign.simplesigning.v1+json';
const COSIGN_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
]);
const NOTATION_TYPE = 'application/vnd.cncf.notary.signature';
const HARBOR_SBOM_TYPE = 'application/vnd.goharbor.harbor.sbom.v1';
/** Where cosign keeps what belongs to an image when it does not use referrers. */
const COSIGN_TAG = /^sha256-([0-9a-f]{64})\.(sig|att|sbom)$/;

/** Says what a manifest is; `tags` count because cosign says so only by its tag. */
export function artifactKind(manifest: RegistryManifest, tags: readonly string[]): ArtifactKind {
  const byTag = tags.map((tag) => COSIGN_TAG.exec(tag)).find((match) => match !== null);
  const type = typeOf(manifest);
  if (manifest.subject !== undefined) {
    const accessoryType = accessoryTypeOf(manifest);
    return { type, subject: manifest.subject.digest, subjectOrigin: 'declared', accessoryType };
  }
  if (byTag?.[1] === undefined) {
    return { type, subject: undefined, subjectOrigin: undefined, accessoryType: undefined };
  }
  const accessoryType = byTag[2] === 'sig' ? 'signature.cosign' : 'subject.accessory';
  return {
    type: byTag[2] === 'sig' ? 'SIGNATURE' : type,
    subject: `sha256:${byTag[1]}`,
    subjectOrigin: 'tag',
    accessoryType,
  };
}

function typeOf(manifest: RegistryManifest): string {
  if (manifest.layers.some(({ mediaType }) => mediaType === COSIGN_PAYLOAD)) return 'SIGNATURE';
  const declared = TYPE_OF_MEDIA_TYPE[manifest.artifactType];
  if (declared !== undefined) return declared;
  if (manifest.kind === 'index') return 'IMAGE';
  const byConfig = TYPE_OF_MEDIA_TYPE[manifest.config?.mediaType ?? ''];
  // A manifest with a type of its own and an image's configuration is an artifact that borrows it.
  if (byConfig !== undefined && manifest.artifactType === manifest.config?.mediaType) return byConfig;
  const kind = CONFIG_TYPE.exec(manifest.artifactType)?.[1] ?? CONFIG_TYPE.exec(manifest.config?.mediaType ?? '')?.[1];
  return kind?.toUpperCase() ?? byConfig ?? 'UNKNOWN';
}

function accessoryTypeOf(manifest: RegistryManifest): AccessoryType {
  if (manifest.artifactType === NOTATION_TYPE) return 'signature.notation';
  if (COSIGN_TYPES.has(manifest.artifactType)) return 'signature.cosign';
  if (manifest.layers.some(({ mediaType }) => mediaType === COSIGN_PAYLOAD)) return 'signature.cosign';
  if (manifest.artifactType === HARBOR_SBOM_TYPE) return 'sbom.harbor';
  const payloads = new Set(manifest.layers.map(({ mediaType }) => mediaType));
  return payloads.has(HARBOR_SBOM_TYPE) ? 'sbom.harbor' : 'subject.accessory';
}
