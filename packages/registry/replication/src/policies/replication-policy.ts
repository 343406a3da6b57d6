/** What an artifact must be for a policy to copy it; all filters have to agree. */
export type ReplicationFilter =
  | { readonly type: 'resource'; readonly value: 'image' | 'artifact' }
  | { readonly type: 'name'; readonly value: string }
  | { readonly type: 'tag'; readonly value: string; readonly decoration: 'matches' | 'excludes' }
  | { readonly type: 'label'; readonly value: readonly string[]; readonly decoration: 'matches' | 'excludes' };

/** When a policy runs. */
export type ReplicationTrigger =
  | { readonly type: 'manual' }
  /** Six fields, UTC. */
  | { readonly type: 'scheduled'; readonly cron: string }
  | { readonly type: 'event_based' };

/** What an artifact must have passed before a policy promotes it; empty lets everything travel. */
export interface PromotionRequirements {
  /** Scanned, with nothing of this severity or worse. */
  readonly scanBelow?: string;
  /** A signature that the project's trust policy accepts. */
  readonly signed?: boolean;
  /** Carries this label. */
  readonly label?: string;
  /** Somebody approved this digest for this policy. */
  readonly approved?: boolean;
}

/** The part of a policy that an administrator sets. */
export interface PolicySettings {
  readonly name: string;
  readonly description: string;
  /** Absent when this registry is the source. */
  readonly sourceId: number | undefined;
  /** Absent when this registry is the destination. */
  readonly destinationId: number | undefined;
  /** Empty: as in the source. */
  readonly destinationNamespace: string;
  /** How many components of the source's path the namespace replaces; −1 for all but the last. */
  readonly replaceCount: number;
  readonly trigger: ReplicationTrigger;
  readonly filters: readonly ReplicationFilter[];
  readonly promotion: PromotionRequirements;
  readonly replicateDeletion: boolean;
  readonly override: boolean;
  readonly enabled: boolean;
  /** Of each task; 0 or less for no limit. */
  readonly speedKiBPerSecond: number;
  readonly copyByChunk: boolean;
  readonly singleActive: boolean;
}

/** A rule that keeps artifacts here and in another registry the same. */
export interface ReplicationPolicy extends PolicySettings {
  readonly id: number;
  readonly creator: string;
  /** When both sides were last compared in full. */
  readonly reconciledAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
