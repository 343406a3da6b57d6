import { createHash } from 'node:crypto';
import type { InstalledPackage, PackageInventory } from '../package-inventory.ts';
import { packageUrl } from './package-url.ts';
import type { SbomSubject } from './sbom-subject.ts';

/** The inventory as an SPDX 2.3 document. */
export function spdxDocument(inventory: PackageInventory, subject: SbomSubject): Readonly<Record<string, unknown>> {
  const { operatingSystem } = inventory;
  const packages = inventory.packages.map((installed) => ({ id: idOf(installed), installed }));
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: subject.name,
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(subject.name)}-${subject.digest.replace(':', '-')}-${subject.createdAtMs}`,
    creationInfo: {
      created: new Date(subject.createdAtMs).toISOString().replace(/\.\d+Z$/, 'Z'),
      creators: [`Organization: ${subject.tool.vendor}`, `Tool: ${subject.tool.name}-${subject.tool.version}`],
    },
    packages: [
      {
        SPDXID: 'SPDXRef-Image',
        name: subject.name,
        versionInfo: subject.digest,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        primaryPackagePurpose: 'CONTAINER',
      },
      ...packages.map(({ id, installed }) => ({
        SPDXID: id,
        name: installed.name,
        versionInfo: installed.version,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        licenseConcluded: 'NOASSERTION',
        licenseDeclared: licenseOf(installed),
        copyrightText: 'NOASSERTION',
        sourceInfo: `found in /${installed.path}`,
        externalRefs: [
          {
            referenceCategory: 'PACKAGE-MANAGER',
            referenceType: 'purl',
            referenceLocator: packageUrl(installed, operatingSystem),
          },
        ],
      })),
    ],
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', 'SPDXRef-Image'),
      ...packages.map(({ id }) => relationship('SPDXRef-Image', 'CONTAINS', id)),
    ],
  };
}

function relationship(from: string, type: string, to: string): Readonly<Record<string, string>> {
  return { spdxElementId: from, relationshipType: type, relatedSpdxElement: to };
}

function idOf({ type, name, version, architecture }: InstalledPackage): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([type, name, version, architecture]))
    .digest('hex');
  return `SPDXRef-Package-${hash.slice(0, 16)}`;
}

/** Only what is written as an SPDX expression may stand there; the rest of the world's texts may not. */
function licenseOf({ license = '' }: InstalledPackage): string {
  return /^[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*$/.test(license) && license.length > 2
    ? license
    : 'NOASSERTION';
}
