/** The tables of `settings`. */
export interface SettingsTables {}
