/** Where an event happened and who caused it. */
export interface EventOrigin {
  readonly projectId: number;
  readonly projectName: string;
  /** The principal's name, `anonymous` included. */
  readonly operator: string;
  /** The address of the client; absent for what the registry does by itself. */
  readonly address?: string;
  /** The reason that an administrator gave for passing by a policy. */
  readonly breakGlass?: string;
  /** Set by replication, so that a copy does not cause the copy back: the name of the endpoint it came from. */
  readonly replicatedFrom?: string;
}

/** One artifact that an event is about. */
export interface ArtifactSubject {
  readonly artifactId: number;
  /** With the project: `library/busybox`. */
  readonly repository: string;
  readonly digest: string;
  /** The tags concerned: the one pushed, pulled or deleted; all of a deleted artifact. Empty when untagged. */
  readonly tags: readonly string[];
  readonly mediaType: string;
  /** `IMAGE`, `CHART`, `SIGNATURE` … as in the REST API. */
  readonly artifactType: string;
}

/** What happened in the registry, past tense. Written to the outbox in the transaction of the change. */
export type RegistryEvent =
  | ({ readonly type: 'artifact.pushed' } & EventOrigin & ArtifactSubject)
  | ({ readonly type: 'artifact.pulled' } & EventOrigin & ArtifactSubject)
  | ({ readonly type: 'artifact.deleted' } & EventOrigin & ArtifactSubject)
  | ({ readonly type: 'tag.created' } & EventOrigin & ArtifactSubject)
  | ({ readonly type: 'tag.deleted' } & EventOrigin & ArtifactSubject)
  | ({ readonly type: 'artifact.labelled' } & EventOrigin & ArtifactSubject & { readonly label: string })
  | ({ readonly type: 'repository.deleted' } & EventOrigin & { readonly repository: string })
  | ({ readonly type: 'project.created' } & EventOrigin)
  | ({ readonly type: 'project.deleted' } & EventOrigin)
  | ({ readonly type: 'scan.completed' } & EventOrigin & ArtifactSubject & ScanOutcome)
  | ({ readonly type: 'scan.failed' } & EventOrigin & ArtifactSubject & ScanOutcome)
  | ({ readonly type: 'scan.stopped' } & EventOrigin & ArtifactSubject & ScanOutcome)
  | ({ readonly type: 'quota.exceeded' } & EventOrigin & QuotaState)
  | ({ readonly type: 'quota.warned' } & EventOrigin & QuotaState)
  | ({ readonly type: 'replication.finished' } & EventOrigin & TaskOutcome)
  | ({ readonly type: 'retention.finished' } & EventOrigin & TaskOutcome);

/** The result of a scan in an event. */
export interface ScanOutcome {
  readonly scanner: string;
  readonly scanType: 'vulnerability' | 'sbom';
  readonly status: string;
  readonly severity?: string;
  readonly summary?: Readonly<Record<string, number>>;
}

/** Storage use against its limit in an event. */
export interface QuotaState {
  readonly repository: string;
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** The result of an execution in an event. */
export interface TaskOutcome {
  readonly policyId: number;
  readonly executionId: number;
  readonly succeeded: number;
  readonly failed: number;
  /** One sentence. */
  readonly summary: string;
}
