import type { Digest } from '@vic/oci';

/** What Docker's command line shows for one layer. */
export type LayerStatus =
  | 'Pulling fs layer'
  | 'Waiting'
  | 'Downloading'
  | 'Verifying Checksum'
  | 'Download complete'
  | 'Extracting'
  | 'Pull complete'
  | 'Already exists';

/** One step of a pull. */
export type PullEvent =
  /** `Pulling from library/busybox`, with the tag or digest as its id. */
  | { readonly kind: 'from'; readonly repository: string; readonly tag: string }
  /** `id` is the first twelve digits of the layer's digest; sizes in bytes where the status has them. */
  | {
      readonly kind: 'layer';
      readonly id: string;
      readonly status: LayerStatus;
      readonly current?: number;
      readonly total?: number;
    }
  | { readonly kind: 'digest'; readonly digest: Digest }
  /** The last line: whether anything new came. */
  | { readonly kind: 'done'; readonly reference: string; readonly isNew: boolean };

/** Takes the events of a pull as they happen; must not throw. */
export type PullProgress = (event: PullEvent) => void;
