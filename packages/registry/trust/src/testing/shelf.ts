import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ContentDigest, MEDIA_TYPES } from '@vic/oci';
import type { Artifact, Referrer, ServedManifest } from '@vic/repositories';
import { temporaryDatabase } from '@vic/sql/testing';
import { StoredSignatures } from '../stored-signatures.ts';
import type { TrustPolicy } from '../trust-policy.ts';
import { type TrustVerdict, TrustVerifier } from '../trust-verifier.ts';

/** A blob with what its descriptor says. */
export interface Layer {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Under cosign's tag, or as a referrer of the image. */
type ShelfPlace =
  | { readonly tag: string }
  | { readonly artifactType: string; readonly annotations?: Readonly<Record<string, string>> };

/** The image that signatures are about. */
export const IMAGE = digestOf('image');
/** Where it is. */
export const REPOSITORY = 'team/app';

/** A repository with an image and whatever signatures a test puts beside it. */
export class Shelf {
  readonly #manifests = new Map<string, ServedManifest>();
  readonly #blobs = new Map<string, Buffer>();
  readonly #referrers: Referrer[] = [];

  readonly signatures = new StoredSignatures({
    store: {
      getManifest: async (_repository, reference) => this.#manifests.get(reference),
      listReferrers: async () => this.#referrers,
    },
    blobs: { read: async (digest) => Readable.from([this.#blobs.get(digest) ?? Buffer.alloc(0)]) },
  });

  /** Stores blobs under a manifest; as cosign's tag, or as a referrer. */
  put(layers: readonly Layer[], as: ShelfPlace): ContentDigest {
    const descriptors = layers.map(({ mediaType, bytes, annotations }) => {
      this.#blobs.set(digestOf(bytes), bytes);
      return { mediaType, digest: digestOf(bytes), size: bytes.length, annotations };
    });
    const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf('{}'), size: 2 };
    const document = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: descriptors };
    const content = Buffer.from(JSON.stringify(document));
    const digest = digestOf(content);
    const manifest = { digest, mediaType: MEDIA_TYPES.ociManifest, content };
    const served = { artifact: { digest } as Artifact, manifest, tag: undefined };
    this.#manifests.set(digest, served);
    if ('tag' in as) this.#manifests.set(as.tag, served);
    else {
      const { artifactType, annotations = {} } = as;
      const entry = { mediaType: MEDIA_TYPES.ociManifest, digest, sizeBytes: content.length };
      this.#referrers.push({ ...entry, artifactType, annotations });
    }
    return digest;
  }

  /** What a policy says of the image. */
  async judge(policy: TrustPolicy, family: 'cosign' | 'notation'): Promise<TrustVerdict> {
    await using database = await temporaryDatabase();
    const verifier = new TrustVerifier({
      database,
      signatures: this.signatures,
      collections: { isTarget: async () => false },
      now: Date.now,
    });
    return verifier.judge(policy, family, { repository: REPOSITORY, digest: IMAGE });
  }
}

/** The tag under which cosign keeps the signatures of an artifact. */
export function sigTag(digest: ContentDigest): string {
  return `${digest.replace(':', '-')}.sig`;
}

/** The digest of some content. */
export function digestOf(content: string | Uint8Array): ContentDigest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
