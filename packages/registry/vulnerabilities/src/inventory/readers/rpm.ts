import { type FileFacts, type FoundPackage } from '../file-facts.ts';
import { berkeleyBlobs } from '../rpm/berkeley-blobs.ts';
import { ndbBlobs } from '../rpm/ndb-blobs.ts';
import { parseRpmHeader } from '../rpm/rpm-header.ts';
import { sqliteBlobs } from '../rpm/sqlite-blobs.ts';

/** Reads an RPM database in any of its three formats, told by its name. */
export function readRpmDatabase(content: Buffer, path: string): FileFacts {
  const packages: FoundPackage[] = [];
  const owns: string[] = [];
  let [headers, damaged] = [0, 0];
  for (const blob of blobsOf(content, path)) {
    headers++;
    const header = parseRpmHeader(blob);
    if (header === undefined) damaged++;
    packages.push(...(header?.packages ?? []));
    for (const file of header?.owns ?? []) owns.push(file);
  }
  const warnings = [
    ...(headers === 0 ? ['the RPM database has no packages that can be read'] : []),
    ...(damaged > 0 ? [`${damaged} packages of the RPM database are damaged`] : []),
  ];
  return { packages, owns, warnings };
}

function blobsOf(content: Buffer, path: string): Generator<Buffer> {
  if (path.endsWith('.sqlite')) return sqliteBlobs(content, 'Packages');
  return path.endsWith('.db') ? ndbBlobs(content) : berkeleyBlobs(content);
}
