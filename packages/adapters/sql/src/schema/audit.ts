/** The tables of `audit`. */
export interface AuditTables {}
