import type { Generated } from 'kysely';

/** The tables of `replication`. */
export interface ReplicationTables {
  /** Other registries, as endpoints of replication and as upstreams of proxy-cache projects. */
  registries: {
    id: Generated<number>;
    name: string;
    description: string;
    /** `vic`, `harbor`, `docker-registry`, `docker-hub`. */
    type: string;
    url: string;
    /** `basic` or `bearer`; empty without a credential. */
    credential_type: string;
    access_key: string;
    /** Sealed with the context `registry:<name of the column>`; empty without a secret. */
    access_secret_sealed: string;
    insecure: number;
    /** PEM; empty when only the public authorities are trusted. */
    ca_certificate: string;
    /** `healthy` or `unhealthy`, as last seen. */
    status: string;
    /** 1 once a push of that registry has arrived here: replication goes both ways, and the later writer of a tag wins. */
    replicates_here: number;
    created_at_ms: number;
    updated_at_ms: number;
  };
  replication_policies: {
    id: Generated<number>;
    name: string;
    description: string;
    creator: string;
    /** Null when this registry is the source. */
    src_registry_id: number | null;
    /** Null when this registry is the destination. */
    dest_registry_id: number | null;
    dest_namespace: string;
    dest_namespace_replace_count: number;
    /** `manual`, `scheduled`, `event_based`. */
    trigger_type: string;
    cron: string;
    /** JSON. */
    filters: string;
    /** JSON: what an artifact must have passed before it may travel. */
    gate: string;
    replicate_deletion: number;
    override: number;
    enabled: number;
    speed_kib_per_second: number;
    copy_by_chunk: number;
    single_active: number;
    /** When source and destination were last compared in full; null before. */
    reconciled_at_ms: number | null;
    created_at_ms: number;
    updated_at_ms: number;
  };
  /** What event-based policies still have to bring to their destination; one row however often it changed meanwhile. */
  replication_pending: {
    id: Generated<number>;
    policy_id: number;
    /** The repository here, with its project. */
    repository: string;
    /** A tag or a digest. */
    reference: string;
    /** `copy` or `delete`. */
    operation: string;
    /** The digest that was deleted; empty for copies. */
    digest: string;
    /** Counted up by each change, so that what changed while it was carried out stays pending. */
    revision: number;
    /** Since when the destination lags behind with this. */
    since_ms: number;
    attempts: number;
    due_at_ms: number;
    /** `waiting`, or `held` by the policy's gate. */
    state: string;
    last_error: string;
  };
  /** What a policy last brought to each tag of its destination: whether the tag was changed there since. */
  replication_sent: {
    id: Generated<number>;
    policy_id: number;
    /** The repository at the source, with its project. */
    repository: string;
    tag: string;
    digest: string;
  };
  /** Approvals of artifacts for promotion by a policy. */
  replication_approvals: {
    id: Generated<number>;
    policy_id: number;
    repository: string;
    digest: string;
    approved_by: string;
    approved_at_ms: number;
  };
  /** When proxy-cache projects last saw an upstream reference. */
  proxy_cache_references: {
    id: Generated<number>;
    project_id: number;
    repository: string;
    reference: string;
    /** Empty when the upstream said that it is not there. */
    digest: string;
    checked_at_ms: number;
  };
}
