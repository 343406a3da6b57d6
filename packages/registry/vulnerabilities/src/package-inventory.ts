/** The kinds of packages the built-in scanner finds, named as in package URLs (purl). */
export type PackageType = 'deb' | 'apk' | 'rpm' | 'npm' | 'pypi' | 'golang' | 'cargo' | 'gem' | 'composer' | 'maven';

/** One package found in an image. */
export interface InstalledPackage {
  readonly type: PackageType;
  /** As its ecosystem writes it: `@scope/name`, `group:artifact`, `github.com/x/y`. */
  readonly name: string;
  readonly version: string;
  /** The source package of a distribution's binary package, which its advisories speak of. */
  readonly source?: { readonly name: string; readonly version: string };
  readonly architecture?: string;
  readonly license?: string;
  /** The file it was found in. */
  readonly path: string;
}

/** What `os-release` says. */
export interface OperatingSystem {
  /** `debian`, `alpine`, `rhel` … */
  readonly id: string;
  readonly version: string;
  readonly name: string;
}

/** Everything known about the packages of one image. */
export interface PackageInventory {
  readonly operatingSystem: OperatingSystem | undefined;
  readonly packages: readonly InstalledPackage[];
  /** What could not be read, in sentences: the inventory is incomplete there. */
  readonly warnings: readonly string[];
}
