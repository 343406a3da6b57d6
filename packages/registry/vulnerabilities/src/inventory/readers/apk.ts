import { type FileFacts, foundPackage, type FoundPackage } from '../file-facts.ts';

/** Reads `/lib/apk/db/installed`. */
export function readApkInstalled(content: Buffer): FileFacts {
  const packages: FoundPackage[] = [];
  const owns: string[] = [];
  for (const paragraph of content.toString('utf8').split(/\n\n+/)) {
    const fields = new Map<string, string>();
    let directory = '';
    for (const line of paragraph.split('\n')) {
      const [key, value] = [line.slice(0, 1), line.slice(2)];
      if (line[1] !== ':') continue;
      if (key === 'F') directory = value;
      else if (key === 'R') owns.push(directory === '' ? value : `${directory}/${value}`);
      else fields.set(key, value);
    }
    const [name = '', version = ''] = [fields.get('P'), fields.get('V')];
    packages.push(
      ...foundPackage({
        type: 'apk',
        name,
        version,
        source: { name: fields.get('o') ?? name, version },
        architecture: fields.get('A') ?? '',
        license: fields.get('L') ?? '',
      }),
    );
  }
  return { packages, owns };
}
