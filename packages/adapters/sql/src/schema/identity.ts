/** The tables of `identity`. */
export interface IdentityTables {}
