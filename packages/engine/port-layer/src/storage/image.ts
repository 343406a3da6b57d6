import type { ImageId } from '@vic/ids';
import type { ChainId, Digest, ImageConfig } from '@vic/oci';

/** One layer of an image as the store keeps it. */
export interface ImageLayer {
  readonly diffId: Digest;
  readonly chainId: ChainId;
  /** Length of its uncompressed tar. */
  readonly sizeBytes: number;
}

/** An image of the store. */
export interface Image {
  /** Digest of the configuration, as Docker's. */
  readonly id: ImageId;
  readonly config: ImageConfig;
  /** The configuration's exact bytes as text; `id` is their digest. */
  readonly rawConfig: string;
  /** Lowest first. */
  readonly layers: readonly ImageLayer[];
  /** Sum of the layers' sizes, as Docker's. */
  readonly sizeBytes: number;
  /** Familiar form, `busybox:latest`, sorted. */
  readonly repoTags: readonly string[];
  /** Familiar form, `busybox@sha256:…`, sorted. */
  readonly repoDigests: readonly string[];
  /** When the store got its present tag or the image itself, milliseconds since 1970. */
  readonly lastTaggedMs: number;
  /** The image it was made from by commit or build, when that is known. */
  readonly parentId: ImageId | undefined;
  /** The disk a container's disk is made a child of. */
  readonly topDiskPath: string;
}

/** One line of what a removal did, as `DELETE /images` answers it. */
export type RemovedItem = { readonly untagged: string } | { readonly deleted: string };

/** A container that uses an image. */
export interface ImageUser {
  readonly containerId: string;
  readonly running: boolean;
}

/** How images are removed. */
export interface RemoveOptions {
  readonly force: boolean;
  /** Keeps untagged parents; Docker's `noprune`. */
  readonly keepParents?: boolean;
}
