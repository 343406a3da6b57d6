/** Content that scrub, or a pull, found to be other than its digest says. */
export interface DamagedContentTable {
  readonly digest: string;
  readonly kind: 'blob' | 'manifest';
  readonly found_at_ms: number;
  /** Where the blob store has put it. */
  readonly quarantined_as: string | null;
  /** What the manifest's row held. */
  readonly content: Uint8Array | null;
}

/** The tables of `gc`. */
export interface GcTables {
  damaged_content: DamagedContentTable;
}
