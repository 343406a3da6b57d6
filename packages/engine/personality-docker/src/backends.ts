import type { ImageId, NetworkId } from '@vic/ids';
import type { RegistryAuth } from '@vic/docker-api';

/** An image's runtime configuration, in the wire's casing as images carry it. */
export interface ImageRuntimeConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: object;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
}

/** One step of an image's history, oldest first. */
export interface ImageHistoryEntry {
  readonly createdAt: string;
  readonly createdBy: string;
  readonly comment: string;
  /** 0 for steps that made no layer. */
  readonly sizeBytes: number;
}

/** An image of the store. */
export interface Image {
  readonly id: ImageId;
  /** Familiar names with tag, such as `busybox:latest`. */
  readonly repoTags: readonly string[];
  /** Familiar names with digest, such as `busybox@sha256:…`. */
  readonly repoDigests: readonly string[];
  /** RFC 3339. */
  readonly createdAt: string;
  /** Sum of its unpacked layers. */
  readonly sizeBytes: number;
  readonly architecture: string;
  readonly variant: string | undefined;
  readonly os: string;
  readonly author: string;
  readonly comment: string;
  readonly dockerVersion: string;
  readonly config: ImageRuntimeConfig;
  readonly diffIds: readonly string[];
  readonly history: readonly ImageHistoryEntry[];
  /** RFC 3339; undefined when never tagged here. */
  readonly lastTaggedAt: string | undefined;
}

/** What a pull reports while it runs. `layer` is the short id the client shows. */
export type PullProgress =
  | { readonly kind: 'resolved'; readonly repository: string; readonly tag: string }
  | {
      readonly kind: 'layer';
      readonly layer: string;
      readonly phase: 'queued' | 'waiting' | 'exists' | 'verifying' | 'downloaded' | 'complete';
    }
  | {
      readonly kind: 'layer';
      readonly layer: string;
      readonly phase: 'downloading' | 'extracting';
      readonly currentBytes: number;
      readonly totalBytes: number;
    };

/** What a pull left behind. */
export interface PullResult {
  readonly image: Image;
  /** Digest of the manifest the reference named. */
  readonly digest: string;
  /** Whether the store had exactly this already. */
  readonly upToDate: boolean;
  /** The familiar reference, such as `busybox:latest`. */
  readonly reference: string;
}

/** One effect of removing an image. */
export type ImageRemoval = { readonly untagged: string } | { readonly deleted: string };

/** The image store as the personality needs it. References are names (tag `latest` implied), digests, ids or unique id prefixes. */
export interface ImageBackend {
  list(): readonly Image[];
  /** `NotFound` when there is none. */
  get(reference: string): Image;
  pull(
    reference: string,
    options: {
      readonly auth: RegistryAuth | undefined;
      readonly platform: string | undefined;
      readonly onProgress: (progress: PullProgress) => void;
    },
    signal: AbortSignal,
  ): Promise<PullResult>;
  /** Adds the name (with tag) to the image. */
  tag(image: ImageId, reference: string, signal: AbortSignal): Promise<void>;
  /** Removes one name, or the image when an id is given or no name is left; `Conflict` when a container needs it. */
  remove(
    reference: string,
    options: { readonly force: boolean },
    signal: AbortSignal,
  ): Promise<readonly ImageRemoval[]>;
}

/** Checks credentials with a registry. */
export interface RegistryLogin {
  /** `Unauthenticated` when refused; gives an identity token when the registry issued one. */
  login(auth: RegistryAuth, signal: AbortSignal): Promise<{ readonly identityToken: string }>;
}

/** A network containers can be in. */
export interface NetworkDescription {
  readonly id: NetworkId;
  readonly name: string;
  /** `bridge`, `null` or `external`. */
  readonly driver: string;
  readonly createdAt: string;
  /** CIDR and gateway; undefined for `none`. */
  readonly subnet: string | undefined;
  readonly gateway: string | undefined;
  readonly internal: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** The networks of the VCH: `bridge`, `none` and its container networks. */
export interface NetworkBackend {
  list(): readonly NetworkDescription[];
}

/** What the VCH says about itself. */
export interface SystemDescription {
  readonly id: string;
  readonly vchName: string;
  readonly version: string;
  readonly gitCommit: string;
  /** RFC 3339. */
  readonly builtAt: string;
  readonly kernelVersion: string;
  /** Such as `vSphere Integrated Containers on VMware ESXi`. */
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** Go's word: `amd64` or `arm64`. */
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** VIC's lines, such as `VCH memory limit`, in order. */
  readonly statusLines: readonly (readonly [string, string])[];
  readonly labels: readonly string[];
  /** Host names and CIDRs. */
  readonly insecureRegistries: readonly string[];
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/** Where {@link SystemDescription} comes from; asked each time, so that limits changed outside show at once. */
export interface SystemBackend {
  describe(signal: AbortSignal): Promise<SystemDescription>;
}
