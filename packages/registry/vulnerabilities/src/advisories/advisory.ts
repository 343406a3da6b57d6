/** One stretch of affected versions: OSV's events, in the order of versions. */
export type AdvisoryEvent =
  | { readonly introduced: string }
  | { readonly fixed: string }
  | { readonly lastAffected: string }
  | { readonly limit: string };

/** What one advisory says about one package, as the advisory file stores it. */
export interface PackageAdvisory {
  /** The advisory's own id: `DSA-5417-1`, `GHSA-…`, `CVE-…`. */
  readonly id: string;
  /** The CVEs it is about; empty when it has none. */
  readonly cves: readonly string[];
  /** What follows the ecosystem's name: `12` of `Debian:12`; empty for all releases. */
  readonly release: string;
  readonly ranges: readonly (readonly AdvisoryEvent[])[];
  /** Affected versions that no range covers. */
  readonly versions: readonly string[];
  readonly cvss3?: string;
  readonly cvss4?: string;
  /** The distribution's or the database's own word. */
  readonly severity?: string;
  readonly summary: string;
  readonly links: readonly string[];
  readonly cwes: readonly string[];
  readonly publishedAtMs: number;
  readonly modifiedAtMs: number;
}

/** An advisory with the package it is about. */
export interface KeyedAdvisory {
  /** Without release: `Debian`, `npm`. */
  readonly ecosystem: string;
  readonly package: string;
  readonly advisory: PackageAdvisory;
}
