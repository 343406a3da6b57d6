import { type FileFacts, foundPackage, type FoundPackage } from '../file-facts.ts';

/** Reads `/var/lib/dpkg/status`, or one file of `status.d` as distroless images have them. */
export function readDpkgStatus(content: Buffer): FileFacts {
  const packages: FoundPackage[] = [];
  for (const paragraph of content.toString('utf8').split(/\n\n+/)) {
    const fields = fieldsOf(paragraph);
    const status = fields.get('status');
    if (status !== undefined && !/\binstalled$/.test(status)) continue;
    const [name = '', version = ''] = [fields.get('package'), fields.get('version')];
    packages.push(
      ...foundPackage({
        type: 'deb',
        name,
        version,
        source: sourceOf(fields.get('source'), { name, version }),
        architecture: fields.get('architecture') ?? '',
      }),
    );
  }
  return { packages };
}

/** `info/x.list`: the files of package x. */
export function readDpkgList(content: Buffer): FileFacts {
  const owns = content.toString('latin1').split('\n');
  return { packages: [], owns: owns.map((path) => path.replace(/^\/+/, '')) };
}

/** `Source: glibc (2.36-9)`; the version only when it differs from the binary package's. */
function sourceOf(
  text: string | undefined,
  own: { readonly name: string; readonly version: string },
): { readonly name: string; readonly version: string } {
  const match = /^(\S+)(?:\s+\(([^)]+)\))?/.exec(text ?? '');
  return { name: match?.[1] ?? own.name, version: match?.[2] ?? own.version };
}

function fieldsOf(paragraph: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of paragraph.split('\n')) {
    const colon = line.indexOf(':');
    // Continuation lines begin with a space.
    if (colon > 0 && !/^\s/.test(line)) fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}
