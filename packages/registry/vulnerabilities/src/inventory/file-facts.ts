import type { InstalledPackage, OperatingSystem } from '../package-inventory.ts';

/** A package as a reader finds it; the path is added by its caller. */
export type FoundPackage = Omit<InstalledPackage, 'path'>;

/** What one file of an image tells. */
export interface FileFacts {
  readonly packages: readonly FoundPackage[];
  readonly operatingSystem?: OperatingSystem;
  /** Files that a distribution's package put there: what they tell is that package's business. */
  readonly owns?: readonly string[];
  /** Sentences about what could not be read. */
  readonly warnings?: readonly string[];
}

const MAX_FIELD_LENGTH = 512;

/** The package, unless a name or version is missing or absurd. */
export function foundPackage(found: FoundPackage): readonly FoundPackage[] {
  const texts = [found.name, found.version, found.source?.name ?? 'x', found.source?.version ?? 'x'];
  const sane = texts.every((text) => text !== '' && text.length <= MAX_FIELD_LENGTH && !/\p{Cc}/u.test(text));
  if (!sane) return [];
  const license = found.license?.slice(0, MAX_FIELD_LENGTH);
  return [{ ...found, ...(license === undefined || license === '' ? {} : { license }) }];
}
