/** The tables of `settings`. */
export interface SettingsTables {
  setting: SettingTable;
}

/** A setting that was changed from its default. */
export interface SettingTable {
  name: string;
  /** JSON; of a secret, the sealed JSON. */
  value: string;
  updated_at: number;
}
