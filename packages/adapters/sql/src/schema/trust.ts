import type { Generated } from 'kysely';

/** TUF metadata files of trusted collections: every version that clients may still ask for. */
export interface TufMetadataTable {
  readonly id: Generated<number>;
  /** The collection's name: `registry.example.com/project/repository`. */
  readonly gun: string;
  /** `root`, `targets`, `targets/releases`, `snapshot`, `timestamp`. */
  readonly role: string;
  readonly version: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly content: Uint8Array;
  readonly created_at_ms: number;
}

/** Keys the server signs timestamps and snapshots with. */
export interface TufKeysTable {
  readonly id: Generated<number>;
  readonly gun: string;
  readonly role: string;
  readonly key_id: string;
  readonly public_key: string;
  /** PKCS #8, sealed. */
  readonly private_key: string;
  readonly created_at_ms: number;
}

/** What a project trusts: rules in order, as JSON. */
export interface TrustPoliciesTable {
  readonly project_id: number;
  readonly policy: string;
  readonly updated_at_ms: number;
}

/** The tables of `trust`. */
export interface TrustTables {
  tuf_metadata: TufMetadataTable;
  tuf_keys: TufKeysTable;
  trust_policies: TrustPoliciesTable;
}
