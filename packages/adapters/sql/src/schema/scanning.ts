/** The tables of `scanning`. */
export interface ScanningTables {}
