/** The tables of `gc`. */
export interface GcTables {}
