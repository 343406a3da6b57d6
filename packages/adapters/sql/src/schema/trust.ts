/** The tables of `trust`. */
export interface TrustTables {}
