import type { Authorizer, ProjectIdentity } from '@vic/authz';
import type { BlobStore } from '@vic/blob';
import type { Jobs, Schedules } from '@vic/jobs';
import type { Logger } from '@vic/log';
import type { RegistryEvent } from '@vic/registry-api';
import type { RepositoryStore } from '@vic/repositories';
import type { Database, Executor } from '@vic/sql';
import type { AdvisoryFeeds } from '@vic/vulnerabilities';
import type { CredentialBox } from './scanners/scanner-registrations.ts';

/** A project as far as scanning looks at it. */
export interface ScannedProject extends ProjectIdentity {
  readonly metadata: Readonly<Record<string, string>>;
}

/** Projects; implemented by `Projects`. */
export interface ScannedProjects {
  findById(id: number): Promise<ScannedProject | undefined>;
}

/** A credential with which a scanner may pull one repository for a while. */
export interface PullCredential {
  /** The value of an `Authorization` header. */
  readonly authorization: string;
  /** Ends it before its time. */
  revoke(): Promise<void>;
}

/** Makes short-lived robots with `scanner-pull` (and pull) on one repository; implemented by identity. */
export interface ScannerRobots {
  issue(request: {
    readonly project: ProjectIdentity;
    readonly repository: string;
    readonly form: 'Basic' | 'Bearer';
    readonly lifetimeMs: number;
  }): Promise<PullCredential>;
}

/** How scanners reach this registry. */
export interface RegistryAddress {
  /** As clients see it. */
  readonly url: string;
  /** For scanners that are registered with "use internal address"; the same when there is none. */
  readonly internalUrl: string;
}

/** What scanning is composed of. */
export interface ScanningDeps {
  readonly database: Database;
  readonly logger: Logger;
  readonly jobs: Jobs;
  readonly schedules: Schedules;
  readonly box: CredentialBox;
  readonly store: Pick<RepositoryStore, 'getManifest' | 'linkBlob' | 'putManifest' | 'resolve'>;
  readonly blobs: Pick<BlobStore, 'put' | 'read' | 'stat'>;
  readonly projects: ScannedProjects;
  /** The CVEs that do not count in a project now; implemented by `CveAllowlists.inForce`. */
  readonly allowlist: (project: ScannedProject) => Promise<ReadonlySet<string>>;
  readonly authorizer: Authorizer;
  readonly advisories: AdvisoryFeeds;
  readonly robots: ScannerRobots;
  readonly registry: RegistryAddress;
  /** Writes an event in the transaction of the change it tells of. */
  appendEvent(transaction: Executor, event: RegistryEvent): Promise<unknown>;
  readonly now?: () => number;
}
