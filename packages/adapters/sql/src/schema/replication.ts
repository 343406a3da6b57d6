/** The tables of `replication`. */
export interface ReplicationTables {}
