import type { Readable } from 'node:stream';
import { VicError, describeError } from '@vic/errors';
import { type ContentDescriptor, type ContentDigest, parseRegistryManifest } from '@vic/oci';
import type { Referrer, RepositoryStore } from '@vic/repositories';
import type { CosignSignature } from './cosign/cosign-signature.ts';
import { BUNDLE_TYPE, SIGN_PREDICATE, readSigstoreBundle } from './cosign/sigstore-bundle.ts';
import { SIMPLE_SIGNING_TYPE, readSimpleSigning } from './cosign/simple-signing.ts';
import { COSE_TYPE, readCose } from './notation/cose-envelope.ts';
import { JWS_TYPE, readJws } from './notation/jws-envelope.ts';
import type { NotationSignature } from './notation/notation-signature.ts';

/** A signature found beside an artifact: read, or not readable and why. */
export type StoredSignature = {
  /** Of the signature's manifest. */
  readonly digest: ContentDigest;
} & (
  | { readonly family: 'cosign'; readonly content: CosignSignature }
  | { readonly family: 'notation'; readonly content: NotationSignature }
  | { readonly family: 'cosign' | 'notation'; readonly content: undefined; readonly problem: string }
);

/** What {@link StoredSignatures} is composed of. */
export interface StoredSignaturesDeps {
  readonly store: Pick<RepositoryStore, 'getManifest' | 'listReferrers'>;
  readonly blobs: { read(digest: ContentDigest): Promise<Readable> };
}

/** As notation's and cosign's own limits: a signature is small. */
const MAX_SIGNATURE_BYTES = 4 * 1024 * 1024;
/** Somebody who may push could add signatures without end. */
const MAX_SIGNATURES = 50;
const NOTATION_TYPE = 'application/vnd.cncf.notary.signature';

/** Finds signatures where clients store them. */
export class StoredSignatures {
  readonly #deps: StoredSignaturesDeps;

  constructor(deps: StoredSignaturesDeps) {
    this.#deps = deps;
  }

  /** Digests of the manifests that hold signatures of an artifact: the likeliest first, as not all may be read. */
  async find(repository: string, digest: ContentDigest): Promise<readonly ContentDigest[]> {
    const tagged = await this.#deps.store.getManifest(repository, `${digest.replace(':', '-')}.sig`);
    const referrers = await this.#deps.store.listReferrers(repository, digest);
    const holding = referrers
      .filter(
        ({ artifactType }) =>
          artifactType === NOTATION_TYPE || BUNDLE_TYPE.test(artifactType) || isCosign(artifactType),
      )
      .toReversed();
    // Scanners attest again and again.
    const [attestations, others] = [holding.filter(isAttestation), holding.filter((one) => !isAttestation(one))];
    const referring = [...others, ...attestations].map((referrer) => referrer.digest);
    const all = new Set([...(tagged === undefined ? [] : [tagged.manifest.digest]), ...referring]);
    return [...all].slice(0, MAX_SIGNATURES);
  }

  /** Reads what the manifests hold, one by one, as far as anybody wants to know. */
  async *read(repository: string, digests: readonly ContentDigest[]): AsyncGenerator<StoredSignature> {
    let left = MAX_SIGNATURES;
    for (const digest of digests) {
      const served = await this.#deps.store.getManifest(repository, digest);
      if (served === undefined) continue;
      const { layers } = parseRegistryManifest(served.manifest.content, served.manifest.mediaType);
      for (const layer of layers.slice(0, left)) {
        left--;
        yield* await this.#readLayer(digest, layer);
      }
    }
  }

  async #readLayer(digest: ContentDigest, layer: ContentDescriptor): Promise<readonly StoredSignature[]> {
    const family = familyOf(layer.mediaType);
    if (family === undefined) return [];
    try {
      const bytes = await this.#readBlob(layer);
      if (family === 'notation') {
        return [{ digest, family, content: layer.mediaType === COSE_TYPE ? readCose(bytes) : readJws(bytes) }];
      }
      const isBundle = BUNDLE_TYPE.test(layer.mediaType);
      return [
        { digest, family, content: isBundle ? readSigstoreBundle(bytes) : readSimpleSigning(bytes, layer.annotations) },
      ];
    } catch (error) {
      return [{ digest, family, content: undefined, problem: describeError(error) }];
    }
  }

  async #readBlob({ digest, sizeBytes }: ContentDescriptor): Promise<Buffer> {
    if (sizeBytes > MAX_SIGNATURE_BYTES) {
      throw new VicError({
        class: 'InvalidArgument',
        code: 'SIGNATURE_TOO_LARGE',
        message: `The signature is larger than ${MAX_SIGNATURE_BYTES} bytes.`,
      });
    }
    const chunks: Buffer[] = [];
    for await (const chunk of await this.#deps.blobs.read(digest)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
}

/** As cosign itself says; what says nothing is read to be sure. */
function isAttestation({ annotations }: Referrer): boolean {
  const predicateType = annotations['dev.sigstore.bundle.predicateType'];
  return predicateType !== undefined && predicateType !== SIGN_PREDICATE;
}

function isCosign(artifactType: string): boolean {
  return artifactType === SIMPLE_SIGNING_TYPE || artifactType === 'application/vnd.dev.cosign.artifact.sig.v1+json';
}

function familyOf(mediaType: string): 'cosign' | 'notation' | undefined {
  if (mediaType === SIMPLE_SIGNING_TYPE || BUNDLE_TYPE.test(mediaType)) return 'cosign';
  return mediaType === JWS_TYPE || mediaType === COSE_TYPE ? 'notation' : undefined;
}
