export { temporaryDatabase } from './temporary-database.ts';
export type { TemporaryDatabase } from './temporary-database.ts';
export { onPostgres, onSqlite } from './dialect-suites.ts';
export type { DialectSuite, OpenTemporaryDatabase } from './dialect-suites.ts';
export { PostgresServer } from './postgres-server.ts';
export { postgresUnavailable } from './postgres-binaries.ts';
export { interleaved } from './interleaved.ts';
export type { InterleavedAt } from './interleaved.ts';
