import { type FileFacts, foundPackage, type FoundPackage } from '../file-facts.ts';
import { zipContent, zipEntries } from './zip.ts';

/** A jar in a war in an ear. */
const MAX_DEPTH = 3;
const MAX_PROPERTIES_BYTES = 64 * 1024;
const MAX_NESTED_BYTES = 64 * 1024 * 1024;
const MAX_NESTED = 5_000;

/** Reads the Maven coordinates (`pom.properties`) in a jar, and in the jars inside of it. */
export function readJar(content: Buffer): FileFacts {
  const packages: FoundPackage[] = [];
  collect(content, 1, packages);
  return { packages };
}

function collect(jar: Buffer, depth: number, packages: FoundPackage[]): void {
  for (const entry of zipEntries(jar)) {
    if (/^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(entry.name)) {
      packages.push(...coordinates(zipContent(jar, entry, MAX_PROPERTIES_BYTES)));
    } else if (/\.(?:jar|war)$/.test(entry.name) && depth < MAX_DEPTH && packages.length < MAX_NESTED) {
      const nested = zipContent(jar, entry, MAX_NESTED_BYTES);
      if (nested !== undefined) collect(nested, depth + 1, packages);
    }
  }
}

function coordinates(properties: Buffer | undefined): readonly FoundPackage[] {
  const text = properties?.toString('latin1') ?? '';
  const value = (key: string): string => new RegExp(`^\\s*${key}\\s*[=:]\\s*(.*?)\\s*$`, 'm').exec(text)?.[1] ?? '';
  const [group, artifact, version] = [value('groupId'), value('artifactId'), value('version')];
  if (group === '' || artifact === '') return [];
  return foundPackage({ type: 'maven', name: `${group}:${artifact}`, version });
}
