import type { BlobStore } from '@vic/blob';
import type { Logger } from '@vic/log';
import type { RepositoryStore } from '@vic/repositories';
import type { DistributionAccess } from './distribution-access.ts';
import type { Upstream } from './upstream.ts';

/** What `/v2` is built on. */
export interface DistributionOptions {
  readonly store: RepositoryStore;
  readonly blobs: BlobStore;
  readonly access: DistributionAccess;
  /** Proxy-cache projects; there are none without it. */
  readonly upstream?: Upstream;
  /** Whether changes are refused at present. */
  readonly isReadOnly: () => Promise<boolean>;
  readonly logger: Logger;
  /** Told to clients as `OCI-Chunk-Min-Length`: smaller chunks are slow with some blob stores. */
  readonly minChunkBytes?: number;
}
