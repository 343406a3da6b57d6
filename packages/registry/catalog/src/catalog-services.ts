import type { Principal } from '@vic/authz';
import type { BlobStore } from '@vic/blob';
import type { RegistryEvent } from '@vic/registry-api';
import type { RepositoryStore } from '@vic/repositories';
import type { Database, Executor } from '@vic/sql';
import type { ImmutabilityProvider, OverviewProvider, ReportProvider } from './artifact-providers.ts';

/** The changes the catalogue makes go through the store, with its gates, accounting and events. */
export type CatalogStore = Pick<
  RepositoryStore,
  | 'copyArtifact'
  | 'createTag'
  | 'deleteArtifact'
  | 'deleteRepository'
  | 'deleteTag'
  | 'describeRepository'
  | 'findRepository'
  | 'getManifest'
  | 'resolve'
>;

/** Projects, as far as the catalogue shows them. */
export interface CatalogProjects {
  /** The ids of the projects the principal may see. */
  visibleTo(principal: Principal): Promise<readonly number[] | 'all'>;
  /** The API's bodies of the projects with these ids. */
  describe(ids: readonly number[], viewer: Principal): Promise<readonly object[]>;
}

/** What the catalogue is composed of. */
export interface CatalogDeps {
  readonly database: Database;
  readonly store: CatalogStore;
  readonly blobs: Pick<BlobStore, 'read'>;
  readonly projects: CatalogProjects;
  /** Writes an event in the transaction of the change it tells of. */
  appendEvent(transaction: Executor, event: RegistryEvent): Promise<unknown>;
  /** No tag is shown as immutable when absent. */
  readonly immutability?: ImmutabilityProvider;
  /** No scan is shown when absent. */
  readonly overviews?: OverviewProvider;
  /** There is no report of any artifact when absent. */
  readonly reports?: ReportProvider;
  /** The present time; the clock's when absent. */
  readonly now?: () => number;
}
