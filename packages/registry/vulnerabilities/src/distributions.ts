import type { OperatingSystem, PackageType } from './package-inventory.ts';

/** How the advisories of a distribution are found for one of its installations. */
export interface Distribution {
  /** OSV's name, without release. */
  readonly ecosystem: string;
  /** Whether advisories speak of source packages (else of binary ones). */
  readonly bySource: boolean;
  /** Whether an advisory for that release (what follows the ecosystem's name) is about this installation. */
  covers(release: string): boolean;
}

type Make = (version: string) => Omit<Distribution, 'ecosystem'> & { readonly ecosystem: string };

const major = (version: string): string => version.split('.')[0] ?? '';
const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

function exactly(ecosystem: string, bySource: boolean, releaseOf: (version: string) => string): Make {
  return (version) => ({ ecosystem, bySource, covers: (release) => release === '' || release === releaseOf(version) });
}

const redHat: Make = (version) => ({
  ecosystem: 'Red Hat',
  bySource: false,
  // `enterprise_linux:9::baseos`; extended support streams are other products.
  covers: (release) => new RegExp(`^(?:rhel_)?enterprise_linux:${major(version)}(?:[.:]|$)`).test(release),
});

/** VERSION_ID 15.5 is "SP5" in SUSE's product names. */
const suse: Make = (version) => ({
  ecosystem: 'SUSE',
  bySource: false,
  covers: (release) => {
    const [main = '', pack] = version.split('.');
    const name = pack === undefined || pack === '0' ? main : `${main} SP${pack}`;
    return release === '' || new RegExp(`^Linux Enterprise .*\\b${name}(?:-LTSS|-TERADATA)?$`).test(release);
  },
});

const DISTRIBUTIONS: Readonly<Record<string, Make>> = {
  debian: exactly('Debian', true, major),
  // `22.04:LTS`; fixes of `Pro:…` are for its subscribers only.
  ubuntu: (version) => ({
    ecosystem: 'Ubuntu',
    bySource: true,
    covers: (release) => release === '' || release === version || release.startsWith(`${version}:`),
  }),
  alpine: exactly('Alpine', true, (version) => `v${minor(version)}`),
  wolfi: exactly('Wolfi', true, () => ''),
  chainguard: exactly('Chainguard', true, () => ''),
  rhel: redHat,
  centos: redHat,
  rocky: exactly('Rocky Linux', false, major),
  almalinux: exactly('AlmaLinux', false, major),
  sles: suse,
  'opensuse-leap': exactly('openSUSE', false, (version) => `Leap ${version}`),
  'opensuse-tumbleweed': exactly('openSUSE', false, () => 'Tumbleweed'),
  mageia: exactly('Mageia', true, major),
  openeuler: (version) => ({
    ecosystem: 'openEuler',
    bySource: false,
    covers: (release) => release === '' || release.startsWith(version),
  }),
  photon: exactly('Photon OS', false, (version) => version),
  azurelinux: exactly('Azure Linux', false, major),
};

/** The languages' ecosystems. */
const LANGUAGES: Readonly<Partial<Record<PackageType, string>>> = {
  npm: 'npm',
  pypi: 'PyPI',
  golang: 'Go',
  cargo: 'crates.io',
  gem: 'RubyGems',
  composer: 'Packagist',
  maven: 'Maven',
};

/** The advisories for an installation's own packages; `undefined` for a distribution without any. */
export function distributionOf(system: OperatingSystem | undefined): Distribution | undefined {
  if (system === undefined || !Object.hasOwn(DISTRIBUTIONS, system.id)) return undefined;
  return DISTRIBUTIONS[system.id]?.(system.version);
}

/** The ecosystem of a language's package. */
export function languageEcosystemOf(type: PackageType): string | undefined {
  return LANGUAGES[type];
}
