import { SqliteFile } from './sqlite-file.ts';

/** Writes a database, as it is at this moment, into an empty file; readers and writers go on meanwhile. */
export function vacuumInto(from: string, to: string): void {
  using source = new SqliteFile(from, { readOnly: true });
  source.execute('pragma query_only = off');
  source.execute('vacuum into ?', [to]);
}
