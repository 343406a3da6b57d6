/** Advisories in the form osv.dev publishes them, one per kind of source; the texts are shortened. */
export const osvDocuments: readonly Readonly<Record<string, unknown>>[] = [
  {
    id: 'DSA-5417-1',
    upstream: ['CVE-2023-0464', 'CVE-2023-0465'],
    modified: '2023-05-31T00:00:00Z',
    published: '2023-05-31T00:00:00Z',
    summary: 'openssl - security update',
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'openssl', purl: 'pkg:deb/debian/openssl?arch=source' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.9-1' }] }],
        ecosystem_specific: { urgency: 'not yet assigned' },
      },
    ],
    schema_version: '1.7.3',
  },
  {
    id: 'DEBIAN-CVE-2023-0464',
    upstream: ['CVE-2023-0464'],
    modified: '2024-01-01T00:00:00Z',
    details: 'A security vulnerability has been identified in the verification of certificate chains.',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }],
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'openssl' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.9-1' }] }],
      },
    ],
  },
  {
    id: 'DEBIAN-CVE-2011-3374',
    upstream: ['CVE-2011-3374'],
    modified: '2024-01-01T00:00:00Z',
    details: 'apt-key in apt does not validate gpg keys correctly.',
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'apt' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }],
        ecosystem_specific: { urgency: 'unimportant' },
      },
    ],
  },
  {
    id: 'ALPINE-CVE-2022-48174',
    upstream: ['CVE-2022-48174'],
    modified: '2024-02-01T00:00:00Z',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [
      {
        package: { ecosystem: 'Alpine:v3.18', name: 'busybox' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.36.1-r2' }] }],
      },
    ],
  },
  {
    id: 'GHSA-35jh-r3h4-6jhm',
    aliases: ['CVE-2021-23337'],
    modified: '2024-04-17T00:00:00Z',
    published: '2021-05-06T16:05:51Z',
    summary: 'Command Injection in lodash',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [
      {
        package: { ecosystem: 'npm', name: 'lodash' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '4.17.21' }] }],
      },
    ],
    references: [{ type: 'ADVISORY', url: 'https://nvd.nist.gov/vuln/detail/CVE-2021-23337' }],
    database_specific: { severity: 'HIGH', cwe_ids: ['CWE-77', 'CWE-94'] },
  },
  {
    id: 'PYSEC-2023-74',
    aliases: ['CVE-2023-32681', 'GHSA-j8r2-6x86-q33q'],
    modified: '2023-06-01T00:00:00Z',
    details: 'Requests is a HTTP library.',
    affected: [
      {
        package: { ecosystem: 'PyPI', name: 'Requests' },
        ranges: [
          { type: 'GIT', repo: 'https://github.com/psf/requests', events: [{ introduced: '0' }, { fixed: '74ea7cf' }] },
          { type: 'ECOSYSTEM', events: [{ introduced: '2.3.0' }, { fixed: '2.31.0' }] },
        ],
        versions: ['2.3.0', '2.30.0', '2.2.9'],
      },
    ],
  },
  {
    id: 'GO-2023-1840',
    aliases: ['CVE-2023-29403'],
    modified: '2024-05-20T00:00:00Z',
    summary: 'Unsafe behavior in setuid/setgid binaries in runtime',
    affected: [
      {
        package: { ecosystem: 'Go', name: 'stdlib' },
        ranges: [
          {
            type: 'SEMVER',
            events: [{ introduced: '0' }, { fixed: '1.19.10' }, { introduced: '1.20.0-0' }, { fixed: '1.20.5' }],
          },
        ],
      },
    ],
  },
  {
    id: 'GHSA-0000-1111-2222',
    modified: '2024-06-01T00:00:00Z',
    withdrawn: '2024-06-02T00:00:00Z',
    affected: [{ package: { ecosystem: 'npm', name: 'lodash' }, versions: ['4.17.20'] }],
  },
];
