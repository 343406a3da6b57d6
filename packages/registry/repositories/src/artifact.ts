import type { ContentDigest } from '@vic/oci';

/** A repository as stored. */
export interface Repository {
  readonly id: number;
  readonly projectId: number;
  /** With the project: `library/busybox`. */
  readonly name: string;
  readonly description: string;
  readonly pullCount: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** False until its first manifest. */
  readonly isListed: boolean;
}

/** What an artifact is to its subject. */
export type AccessoryType = 'signature.cosign' | 'signature.notation' | 'sbom.harbor' | 'subject.accessory';

/** One manifest in one repository. */
export interface Artifact {
  readonly id: number;
  readonly projectId: number;
  readonly repositoryId: number;
  readonly digest: ContentDigest;
  /** `IMAGE`, `CHART`, `SIGNATURE` … as the REST API shows it. */
  readonly type: string;
  /** Of the configuration; of the manifest itself for an index. */
  readonly mediaType: string;
  readonly manifestMediaType: string;
  readonly artifactType: string;
  /** Of the manifest and everything that it references. */
  readonly sizeBytes: number;
  readonly subject: ContentDigest | undefined;
  readonly accessoryType: AccessoryType | undefined;
  readonly extraAttributes: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly pushedAtMs: number;
  readonly pulledAtMs: number | undefined;
}

/** A name for an artifact. */
export interface Tag {
  readonly id: number;
  readonly repositoryId: number;
  readonly artifactId: number;
  readonly name: string;
  readonly pushedAtMs: number;
  readonly pulledAtMs: number | undefined;
}

/** The bytes of a manifest and how they are to be read. */
export interface StoredManifest {
  readonly digest: ContentDigest;
  readonly mediaType: string;
  readonly content: Uint8Array;
}

/** An entry of a referrers list. */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One manifest an index lists. */
export interface ArtifactReference {
  readonly digest: ContentDigest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly platform: Readonly<Record<string, unknown>> | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}
