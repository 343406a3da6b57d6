import { compareApkVersions } from './apk-version.ts';
import { compareDpkgVersions } from './dpkg-version.ts';
import { compareMavenVersions } from './maven-version.ts';
import { comparePackagistVersions } from './packagist-version.ts';
import { comparePep440Versions } from './pep440-version.ts';
import { compareRpmVersions } from './rpm-version.ts';
import { compareRubyGemsVersions } from './rubygems-version.ts';
import { compareSemVer } from './semver-version.ts';

/** Negative when `a` is older than `b`, 0 when neither is. */
export type VersionOrder = (a: string, b: string) => number;

/** OSV's ecosystems, without their releases, whose versions we can order. */
const ORDERS: Readonly<Record<string, VersionOrder>> = {
  Debian: compareDpkgVersions,
  Ubuntu: compareDpkgVersions,
  Alpine: compareApkVersions,
  Wolfi: compareApkVersions,
  Chainguard: compareApkVersions,
  'Red Hat': compareRpmVersions,
  'Rocky Linux': compareRpmVersions,
  AlmaLinux: compareRpmVersions,
  SUSE: compareRpmVersions,
  openSUSE: compareRpmVersions,
  Mageia: compareRpmVersions,
  openEuler: compareRpmVersions,
  'Photon OS': compareRpmVersions,
  'Azure Linux': compareRpmVersions,
  'Amazon Linux': compareRpmVersions,
  'Oracle Linux': compareRpmVersions,
  npm: compareSemVer,
  Go: compareSemVer,
  'crates.io': compareSemVer,
  PyPI: comparePep440Versions,
  RubyGems: compareRubyGemsVersions,
  Maven: compareMavenVersions,
  Packagist: comparePackagistVersions,
};

/** The order of an ecosystem's versions, or `undefined` for one we do not know. */
export function versionOrderOf(ecosystem: string): VersionOrder | undefined {
  return Object.hasOwn(ORDERS, ecosystem) ? ORDERS[ecosystem] : undefined;
}
